"""The API server is asked first, and a change that does not become live is undone."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from meshproof.cluster.commands import CommandError
from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import NotLive, Refused, UsageError
from tests.fakes.cluster_machine import ROOT, Machine, recorded

HALF = ROOT / "rules" / "svcb_v0_1_50_v0_2_50.yaml"


def kinds(text: str) -> list[tuple[str, str]]:
    """Kind and name of the documents of a text."""
    return [(d["kind"], d["metadata"]["name"]) for d in yaml.safe_load_all(text) if d]


ALL = ROOT / "rules" / "svcb_v0_2_100.yaml"


def test_the_server_is_asked_first_and_the_mark_comes_last(
    machine: Machine, cluster: ClusterMesh
) -> None:
    commands = machine.since(lambda: cluster.apply([HALF]))
    assert "--dry-run=server" in commands[0]
    sent = machine.sent("apply -f -")[-1]
    rules = [("DestinationRule", "svcb"), ("VirtualService", "svcb")]
    assert kinds(sent) == [*rules, *[("EnvoyFilter", "live-mark")] * 2]


def test_a_subset_goes_when_no_sidecar_routes_to_it_any_more(
    machine: Machine, cluster: ClusterMesh
) -> None:
    """RouteRules lose the DestinationRule's subsets that they no longer name."""
    old = ROOT / "rules" / "v1alpha2"
    cluster.apply([old / "route-rules-svcb-v0.2-50.yaml"])
    before = len(machine.sent("apply -f -"))
    commands = machine.since(lambda: cluster.apply([old / "route-rules-svcb-v0.2-100.yaml"]))
    assert len([c for c in commands if "--dry-run=server" in c]) == 1
    first, second = machine.sent("apply -f -")[before:][-2:]
    assert _subsets(first) == ["version-v0-2", "version-v0-1"]
    assert ("VirtualService", "route-rules-svcb") in kinds(first)
    assert _subsets(second) == ["version-v0-2"]
    assert "VirtualService" not in dict(kinds(second))
    queries = [i for i, c in enumerate(commands) if "config_dump" in c]
    changes = [i for i, c in enumerate(commands) if c.endswith("apply -f -")]
    assert any(changes[-2] < i < changes[-1] for i in queries), "live in between"


def _subsets(text: str) -> list[str]:
    (rule,) = (d for d in yaml.safe_load_all(text) if d and d["kind"] == "DestinationRule")
    return [subset["name"] for subset in rule["spec"]["subsets"]]


@pytest.mark.parametrize(
    ("note", "line", "field"),
    [("bad weight", 28, "spec.http[0].route[0].weight"), ("unknown field", 20, "spec.htp")],
)
def test_what_the_server_refuses_changes_nothing(
    machine: Machine, cluster: ClusterMesh, note: str, line: int, field: str
) -> None:
    cluster.apply([HALF])
    before = dict(machine.kube.objects)
    refusal = recorded(
        "kubectl --kubeconfig kubeconfig -n recording apply --dry-run=server -f -", note
    )
    machine.fail("--dry-run=server", refusal, times=1)
    with pytest.raises(Refused, match="VirtualService") as caught:
        cluster.apply([ALL])
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.field) == (str(ALL), line, field)
    assert "is refused by the API server" in problem.found
    assert machine.kube.objects == before
    cluster.apply([ALL])


def test_a_server_that_is_gone_is_no_fault_of_the_input(
    machine: Machine, cluster: ClusterMesh
) -> None:
    unreachable = recorded("kubectl --kubeconfig kubeconfig --server")
    machine.fail("--dry-run=server", unreachable, times=1)
    with pytest.raises(CommandError, match="connection refused"):
        cluster.apply([HALF])


def test_a_change_that_one_sidecar_does_not_take_is_undone(
    machine: Machine, cluster: ClusterMesh
) -> None:
    cluster.apply([HALF])
    before = dict(machine.kube.objects)
    machine.fail("exec svcb-v0.1-0", (0, '{"configs": [], "stats": []}', ""))
    with pytest.raises(NotLive, match=r"payments/svcb-v0.1-0.*does not show the mark"):
        cluster.apply([ALL])
    assert machine.kube.objects == before, "the mark too"
    assert "VirtualService payments/svcb" in cluster.status().resources


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


def test_a_change_whose_listener_a_sidecar_refused_is_undone(
    machine: Machine, cluster: ClusterMesh
) -> None:
    listener = {"name": "virtualInbound", "error_state": {"details": "no such filter"}}
    machine.fail("resource=dynamic_listeners", (0, json.dumps({"configs": [listener]}), ""))
    with pytest.raises(NotLive, match=r"virtualInbound: no such filter.*VirtualService payments/"):
        cluster.apply([HALF])
    assert ("VirtualService", "payments", "svcb") not in machine.kube.objects
