"""A change is applied whole, or not at all, and is live when every sidecar shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import Refused
from meshproof.mesh import STDIN, Source
from tests.fakes.cluster_machine import ROOT, Machine

HALF = ROOT / "rules" / "svcb_v0_1_50_v0_2_50.yaml"
ALL = ROOT / "rules" / "svcb_v0_2_100.yaml"
SIDECARS = {"svca-0", "svcb-v0.1-0", "svcb-v0.2-0"}
GATEWAY = "istio-ingressgateway-0"
EGRESS = ROOT / "rules" / "egress_msgd_by_address.yaml"


def rules(machine: Machine) -> set[tuple[str, str]]:
    return {
        (kind, name)
        for kind, namespace, name in machine.kube.objects
        if namespace == "payments" and kind in ("VirtualService", "DestinationRule", "ServiceEntry")
    }


def test_a_rule_is_asked_about_applied_and_confirmed_by_all(
    machine: Machine, cluster: ClusterMesh
) -> None:
    applied = cluster.apply([HALF])
    assert {a.sidecar for a in applied.acks} == SIDECARS | {GATEWAY}
    assert len({a.version for a in applied.acks}) == 1
    assert applied.resources == (
        "DestinationRule payments/svcb created",
        "VirtualService payments/svcb created",
    )
    second = cluster.apply([ALL])
    assert second.resources[1] == "VirtualService payments/svcb configured"
    assert second.acks[0].version != applied.acks[0].version


def test_what_did_not_change_is_not_sent(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.apply([HALF])
    assert machine.since(lambda: cluster.apply([HALF])) == []


def test_delete_is_all_or_nothing(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.apply([HALF])
    with pytest.raises(Refused, match=r"ServiceEntry payments/msgd-by-address.*not in this mesh"):
        cluster.delete([HALF, EGRESS])
    assert ("VirtualService", "svcb") in rules(machine)
    deleted = cluster.delete([HALF])
    assert rules(machine) == {("VirtualService", "pay")}
    assert {a.sidecar for a in deleted.acks} == SIDECARS | {GATEWAY}


def test_reset_goes_back_and_costs_nothing_where_nothing_was_done(
    machine: Machine, cluster: ClusterMesh
) -> None:
    assert machine.since(cluster.reset) == []
    cluster.apply([HALF, EGRESS])
    cluster.scale("svca", 3)
    cluster.reset()
    assert rules(machine) == {("VirtualService", "pay")}
    assert machine.kube.objects["Deployment", "payments", "svca"]["spec"]["replicas"] == 1
    assert machine.since(cluster.reset) == []


def test_warnings_and_strict(machine: Machine, cluster: ClusterMesh) -> None:
    text = (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: lost}\n"
        "spec: {hosts: [svcb], http: [{route: [{destination: {host: nobody}}]}]}\n"
    )
    applied = cluster.apply([Source("lost.yaml", text)])
    assert [w.file for w in applied.warnings] == ["lost.yaml"]
    cluster.reset()
    with pytest.raises(Refused, match="nobody"):
        cluster.apply([Source(STDIN, text)], strict=True)
    assert ("VirtualService", "lost") not in rules(machine)


def test_a_file_that_is_no_yaml_says_where(cluster: ClusterMesh, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("apiVersion: v1\nkind: [\n")
    with pytest.raises(Refused, match=r"bad\.yaml:\d"):
        cluster.apply([bad])
    with pytest.raises(Refused, match="no such file"):
        cluster.apply([tmp_path / "none.yaml"])
