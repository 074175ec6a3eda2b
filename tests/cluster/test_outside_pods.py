"""Outside hosts as pods that the mesh does not know."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from meshproof.errors import Unsupported
from tests.fakes.cluster_machine import ROOT, Machine, up_on_context

RULES = ROOT / "rules"


def test_msgd_is_a_pod_that_the_mesh_does_not_know(machine: Machine, tmp_path: Path) -> None:
    mesh = up_on_context(machine, tmp_path)
    service = machine.kube.objects["Service", "meshproof-outside", "msgd-test"]
    assert service["metadata"]["annotations"] == {"networking.istio.io/exportTo": "~"}
    svcb = machine.kube.objects["Deployment", "payments", "svcb-v0.1"]
    aliases = svcb["spec"]["template"]["spec"]["hostAliases"]
    assert aliases == [{"ip": "10.96.0.9", "hostnames": ["msgd.test"]}]
    with pytest.raises(Unsupported, match="network faults need the nodes of a kind cluster"):
        mesh.fault("cut", "msgd.test")


@pytest.mark.parametrize(
    "rule",
    ["egress_msgd_by_address.yaml", "egress_msgd_by_name.yaml",
     "v1alpha2/enable-svcb-engress-rule.yaml"],
)  # fmt: skip
def test_rules_for_it_point_at_the_pod(machine: Machine, tmp_path: Path, rule: str) -> None:
    mesh = up_on_context(machine, tmp_path)
    mesh.apply([RULES / rule])
    (spec,) = [
        o["spec"] for k, o in machine.kube.objects.items()
        if k[0] == "ServiceEntry" and k[1] != "meshproof-system"
    ]  # fmt: skip
    assert spec["resolution"] == "STATIC"
    assert spec["endpoints"] == [{"address": "10.96.0.9"}]
    original = next(yaml.safe_load_all((RULES / rule).read_text()))["spec"]
    if "hosts" in original:
        assert spec["hosts"] == original["hosts"]
