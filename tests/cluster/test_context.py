"""On a cluster that exists: used, and nothing of its own touched."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import MeshproofError, Unsupported, UsageError
from tests.fakes.cluster_machine import ROOT, Machine, mesh_on

BASE = {"CONTEXT": "site", "REGISTRY": "registry.site/demo", "GATEWAY_URL": "http://127.0.0.1:80/"}
RULES = ROOT / "rules"


def up(machine: Machine, state: Path, **more: str) -> ClusterMesh:
    mesh = mesh_on(machine, state, {**BASE, **more}, kind="context")
    mesh.up()
    return mesh


def test_images_are_pushed_and_no_cluster_is_made(machine: Machine, tmp_path: Path) -> None:
    up(machine, tmp_path)
    pushed = [c.split()[-1] for c in machine.ran("docker push")]
    assert len(pushed) == 3
    assert all(name.startswith("registry.site/demo/meshproof/") for name in pushed)
    assert not machine.ran("kind ")
    assert all(c.startswith("kubectl --context site ") for c in machine.ran(" apply "))


def test_a_context_of_kind_needs_no_registry(machine: Machine, tmp_path: Path) -> None:
    up(machine, tmp_path, CONTEXT="kind-mine", REGISTRY="")
    (load,) = machine.ran("kind load")
    assert load.endswith("--name mine")


def test_a_cluster_without_a_registry_is_named(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="REGISTRY is not set"):
        up(machine, tmp_path, REGISTRY="")
    with pytest.raises(UsageError, match="CONTEXT is not set"):
        mesh_on(machine, tmp_path, {}, kind="context")


def test_a_namespace_of_somebody_elses_ends_it(machine: Machine, tmp_path: Path) -> None:
    space = {"kind": "Namespace", "metadata": {"name": "payments", "labels": {"team": "x"}}}
    machine.kube.objects["Namespace", "", "payments"] = space
    with pytest.raises(MeshproofError, match=r"namespace payments of context site exists"):
        up(machine, tmp_path)
    assert not machine.ran(" apply ")
    assert not machine.ran(" delete ")


def test_msgd_is_a_pod_that_the_mesh_does_not_know(machine: Machine, tmp_path: Path) -> None:
    mesh = up(machine, tmp_path)
    service = machine.kube.objects["Service", "meshproof-outside", "msgd-test"]
    assert service["metadata"]["annotations"] == {"networking.istio.io/exportTo": "~"}
    svcb = machine.kube.objects["Deployment", "payments", "svcb-v0.1"]
    aliases = svcb["spec"]["template"]["spec"]["hostAliases"]
    assert aliases == [{"ip": "10.96.0.9", "hostnames": ["msgd.test"]}]
    with pytest.raises(Unsupported, match="only on kind"):
        mesh.fault("cut", "msgd.test")


@pytest.mark.parametrize(
    "rule",
    ["egress_msgd_by_address.yaml", "egress_msgd_by_name.yaml",
     "v1alpha2/enable-svcb-engress-rule.yaml"],
)  # fmt: skip
def test_rules_for_it_point_at_the_pod(machine: Machine, tmp_path: Path, rule: str) -> None:
    mesh = up(machine, tmp_path)
    mesh.apply([RULES / rule])
    (made,) = [
        o["spec"] for k, o in machine.kube.objects.items()
        if k[0] == "ServiceEntry" and k[1] != "meshproof-system"
    ]  # fmt: skip
    assert made["resolution"] == "STATIC"
    assert made["endpoints"] == [{"address": "10.96.0.9"}]
    written = next(yaml.safe_load_all((RULES / rule).read_text()))["spec"]
    if "hosts" in written:
        assert made["hosts"] == written["hosts"]


def test_down_deletes_by_our_label_only(machine: Machine, tmp_path: Path) -> None:
    mesh = up(machine, tmp_path)
    commands = machine.since(mesh.down)
    assert commands == [
        "kubectl --context site delete namespace -l meshproof=owned --ignore-not-found",
        "kubectl --context site -n istio-system delete telemetry.telemetry.istio.io "
        "-l meshproof=owned --ignore-not-found",
        "kubectl --context site delete clusterrole,clusterrolebinding "
        "-l meshproof=owned --ignore-not-found",
    ]


def test_istio_that_stays_is_named(machine: Machine, tmp_path: Path) -> None:
    mesh = mesh_on(machine, tmp_path, BASE, kind="context")
    (note,) = mesh.up().notes
    assert "Istio stays" in note
