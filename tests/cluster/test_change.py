"""A change is applied whole, or not at all, and is live when every sidecar says so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.cluster.commands import CommandError
from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import NotLive, Refused, Unsupported, UsageError
from meshproof.mesh import STDIN, Source
from tests.fakes.cluster_machine import ROOT, Machine, recorded

HALF = ROOT / "rules" / "svcb_v0_1_50_v0_2_50.yaml"
ALL = ROOT / "rules" / "svcb_v0_2_100.yaml"
OLD_HALF = ROOT / "rules" / "v1alpha2" / "route-rules-svcb-v0.2-50.yaml"
OLD_EGRESS = ROOT / "rules" / "v1alpha2" / "enable-svcb-engress-rule.yaml"
EGRESS = ROOT / "rules" / "egress_msgd_by_address.yaml"
SIDECARS = {"payments/svca-0", "payments/svcb-v0.1-0", "payments/svcb-v0.2-0"}
GATEWAY = "istio-system/istio-ingressgateway-0"


def kinds(text: str) -> list[tuple[str, str]]:
    """Kind and name of the documents of a text."""
    return [(d["kind"], d["metadata"]["name"]) for d in yaml.safe_load_all(text) if d]


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
    again = cluster.apply([ALL])
    assert again.resources[1] == "VirtualService payments/svcb configured"
    assert again.acks[0].version != applied.acks[0].version


def test_the_server_is_asked_first_and_the_mark_comes_last(
    machine: Machine, cluster: ClusterMesh
) -> None:
    commands = machine.since(lambda: cluster.apply([HALF]))
    assert "--dry-run=server" in commands[0]
    sent = machine.sent("apply -f -")[-1]
    own = [("DestinationRule", "svcb"), ("VirtualService", "svcb")]
    assert kinds(sent) == [*own, *[(k, "live-mark") for k in _MARK]]


_MARK = ("ServiceEntry", "DestinationRule", "VirtualService")


def test_what_did_not_change_is_not_sent(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.apply([HALF])
    assert machine.since(lambda: cluster.apply([HALF])) == []


def test_rules_of_the_old_dialect_arrive_lowered(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.apply([OLD_EGRESS, OLD_HALF])
    assert not [k for k in machine.kube.objects if k[0] in ("RouteRule", "EgressRule")]
    (made,) = [
        o for k, o in machine.kube.objects.items()
        if k[:2] == ("VirtualService", "payments") and k[2] != "pay"
    ]  # fmt: skip
    assert [r["weight"] for r in made["spec"]["http"][0]["route"]] == [50, 50]
    assert {"ServiceEntry", "DestinationRule"} <= {kind for kind, _ in rules(machine)}
    cluster.delete([OLD_EGRESS, OLD_HALF])
    assert rules(machine) == {("VirtualService", "pay")}


@pytest.mark.parametrize("note", ["bad weight", "unknown field"])
def test_what_the_server_refuses_changes_nothing(
    machine: Machine, cluster: ClusterMesh, note: str
) -> None:
    cluster.apply([HALF])
    before = dict(machine.kube.objects)
    refusal = recorded("kubectl --kubeconfig kubeconfig apply --dry-run=server -f -", note)
    machine.fail("--dry-run=server", refusal, times=1)
    with pytest.raises(Refused, match="VirtualService") as caught:
        cluster.apply([ALL])
    assert "invalid" in str(caught.value)
    assert machine.kube.objects == before
    cluster.apply([ALL])


def test_a_server_that_is_gone_is_no_fault_of_the_input(
    machine: Machine, cluster: ClusterMesh
) -> None:
    gone = recorded("kubectl --kubeconfig kubeconfig --server")
    machine.fail("--dry-run=server", gone, times=1)
    with pytest.raises(CommandError, match="connection refused"):
        cluster.apply([HALF])


def test_a_change_that_one_sidecar_does_not_take_is_undone(
    machine: Machine, cluster: ClusterMesh
) -> None:
    cluster.apply([HALF])
    before = {k: v for k, v in machine.kube.objects.items() if k[2] != "live-mark"}
    machine.fail("exec svcb-v0.1-0", (0, '{"configs": []}', ""))
    with pytest.raises(NotLive, match=r"payments/svcb-v0.1-0.*ServiceEntry and DestinationRule"):
        cluster.apply([ALL])
    assert {k: v for k, v in machine.kube.objects.items() if k[2] != "live-mark"} == before
    assert "VirtualService payments/svcb" in cluster.status().resources


def test_delete_is_all_or_nothing(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.apply([HALF])
    with pytest.raises(Refused, match=r"ServiceEntry payments/msgd-by-address.*not in this mesh"):
        cluster.delete([HALF, EGRESS])
    assert ("VirtualService", "svcb") in rules(machine)
    gone = cluster.delete([HALF])
    assert rules(machine) == {("VirtualService", "pay")}
    assert {a.sidecar for a in gone.acks} == SIDECARS | {GATEWAY}


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


def test_scale_waits_for_pods_and_for_what_sidecars_know(
    machine: Machine, cluster: ClusterMesh
) -> None:
    commands = machine.since(lambda: cluster.scale("svcb-v0.1", 3))
    assert any("rollout status deploy/svcb-v0.1" in c for c in commands)
    assert any("clusters?format=json" in c for c in commands)
    assert len([r for r in cluster.status().replicas if r.workload == "svcb-v0.1"]) == 3
    with pytest.raises(UsageError, match="0 or more"):
        cluster.scale("svca", -1)


def test_a_sidecar_that_knows_other_endpoints_is_not_live(
    machine: Machine, cluster: ClusterMesh
) -> None:
    stale: dict[str, Any] = {
        "name": "outbound|80||svcb.payments.svc.cluster.local",
        "host_statuses": [{"address": {"socket_address": {"address": "10.0.0.9"}}}],
    }
    machine.fail("clusters?format=json", (0, json.dumps({"cluster_statuses": [stale]}), ""))
    with pytest.raises(NotLive, match=r"svcb.payments.*10\.0\.0\.9.*wanted"):
        cluster.scale("svcb-v0.1", 2)
    assert machine.kube.objects["Deployment", "payments", "svcb-v0.1"]["spec"]["replicas"] == 1


def test_kinds_that_only_a_cluster_honours_go_through(
    machine: Machine, cluster: ClusterMesh
) -> None:
    text = (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        "metadata: {name: none}\nspec: {}\n"
    )
    cluster.apply([Source(STDIN, text)])
    assert ("AuthorizationPolicy", "payments", "none") in machine.kube.objects


def test_words_that_yaml_readers_disagree_on_arrive_as_they_were_read(
    machine: Machine, cluster: ClusterMesh
) -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\n"
        'data: {a: "y", b: "1e3", c: "no", d: "07"}\n'
    )
    cluster.apply([Source(STDIN, text)])
    sent = machine.sent("apply -f -")[-1]
    for word in ("y", "1e3", "no", "07"):
        assert re.search(f"""['"]{word}['"]""", sent), word


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


def test_faults_are_undone_by_reset(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.fault("pause", "svca")
    assert machine.ran("SIGSTOP")
    cluster.fault("cut", "msgd.test")
    assert "meshproof-msgd.test" not in machine.networks["kind"]
    cluster.reset()
    assert machine.ran("SIGCONT")
    assert "meshproof-msgd.test" in machine.networks["kind"]
    assert machine.ran("--ip 10.100.35.27")
    cluster.fault("kill", "svcb-v0.1")
    assert machine.ran("delete pod svcb-v0.1-0 --grace-period=0 --force")
    with pytest.raises(Unsupported, match="killed as a whole"):
        cluster.fault("kill", "svca", part="sidecar")
    with pytest.raises(Unsupported, match="slow"):
        cluster.fault("slow", "svca")


def test_a_file_that_is_no_yaml_says_where(cluster: ClusterMesh, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("apiVersion: v1\nkind: [\n")
    with pytest.raises(Refused, match=r"bad\.yaml:\d"):
        cluster.apply([bad])
    with pytest.raises(Refused, match="no such file"):
        cluster.apply([tmp_path / "none.yaml"])
