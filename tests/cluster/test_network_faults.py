"""Network faults on a cluster: which connections are redirected to which proxy, and that callers'
connections are made anew."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import MeshproofError, NotLive, UsageError
from meshproof.mesh import Capability
from tests.fakes.cluster_machine import ROOT, Machine

EGRESS = ROOT / "rules" / "egress_msgd_by_address.yaml"
RESTORE = "docker exec -i meshproof-control-plane"


def rules(machine: Machine) -> list[str]:
    """Of the newest table."""
    lines = machine.sent(RESTORE)[-1].splitlines()
    assert lines[:2] == ["*nat", ":MESHPROOF-FAULTS - [0:0]"]
    assert lines[-1] == "COMMIT"
    return [line.removeprefix("-A MESHPROOF-FAULTS ") for line in lines[2:-1]]


def address(cluster: ClusterMesh, replica: str) -> str:
    return next(r.address for r in cluster.status().replicas if r.name == replica)


def numbers(machine: Machine) -> dict[str, int]:
    """Host -> the number of its connections, in the newest mark of the sidecars."""
    (document,) = (
        d
        for d in yaml.safe_load_all(machine.sent("apply -f -")[-1])
        if d["metadata"]["namespace"] == "payments"
    )
    return {
        patch["match"]["cluster"]["service"]: patch["patch"]["value"]["metadata"][
            "filter_metadata"
        ]["meshproof"]["connections"]
        for patch in document["spec"]["configPatches"]
        if "service" in patch.get("match", {}).get("cluster", {})
    }


def test_a_fault_redirects_its_callers_and_makes_connections_anew(
    machine: Machine, cluster: ClusterMesh
) -> None:
    assert Capability.CUT in cluster.capabilities
    cluster.fault("latency", "svcb-v0.2", source="svca", ms=100)
    caller, target = address(cluster, "svca-0"), address(cluster, "svcb-v0.2-0")
    assert rules(machine) == [f"-s {caller} -d {target} -p tcp -j REDIRECT --to-ports 40000"]
    assert numbers(machine) == {"svcb.payments.svc.cluster.local": 1}
    (created,) = machine.ran("docker create")
    assert "--network container:meshproof-control-plane" in created
    impairment = json.loads(re.findall(r"\{.*\}", created)[0])
    assert impairment == {"passes": True, "refuses": False, "delay": 0.1, "loss": 0.0}
    commands = machine.since(lambda: cluster.fault("heal", "svcb-v0.2"))
    assert rules(machine) == []
    assert numbers(machine) == {"svcb.payments.svc.cluster.local": 2}
    order = [commands.index(c) for part in (RESTORE, "apply", "docker stop") for c in commands
             if part in c]  # fmt: skip
    assert order == sorted(order), "a proxy ends when nobody goes through it any more"


def test_without_a_source_every_pod_is_concerned_and_the_newest_fault_counts(
    machine: Machine, cluster: ClusterMesh
) -> None:
    cluster.apply([EGRESS])
    cluster.fault("loss", "msgd.test", percent=5)
    cluster.fault("refuse", "10.100.35.27", source="gateway")
    gateway = re.fullmatch(r"-s (\S+) -d 172.18.0.9 .*", rules(machine)[0])
    assert gateway, "the newest stands first"
    assert gateway[1].startswith("10.")
    assert rules(machine)[1].startswith("-d 172.18.0.9 ")
    assert set(numbers(machine)) == {"by-address.msgd.test"}


def test_a_partition_holds_both_ways(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.fault("partition", "svcb-v0.2", source="svca")
    a, b = address(cluster, "svca-0"), address(cluster, "svcb-v0.2-0")
    assert [rule.partition(" -p ")[0] for rule in rules(machine)] == [
        f"-s {a} -d {b}",
        f"-s {b} -d {a}",
    ]
    cluster.fault("clear", "svca")
    assert rules(machine) == []
    with pytest.raises(UsageError, match="partition: svca from whom"):
        cluster.fault("partition", "svca")


def test_replicas_that_come_later_are_concerned_too(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.fault("refuse", "svcb-v0.2", source="svca")
    cluster.scale("svcb-v0.2", 2)
    assert len(rules(machine)) == 2
    assert numbers(machine) == {"svcb.payments.svc.cluster.local": 2}
    cluster.fault("refuse", "svcb-v0.2", replica="svcb-v0.2-1")
    assert len(rules(machine)) == 3
    cluster.reset()
    assert rules(machine) == []


def test_a_fault_that_cannot_begin_leaves_nothing(machine: Machine, cluster: ClusterMesh) -> None:
    machine.fail("docker start", (1, "", "no space left on device"), times=1)
    with pytest.raises(MeshproofError, match="no space left"):
        cluster.fault("cut", "svca")
    machine.kube.admin = lambda *_: '{"configs": [], "stats": []}'  # type: ignore[method-assign]
    with pytest.raises(NotLive):
        cluster.fault("cut", "svca")
    assert rules(machine) == []
    removed = [c.split()[-1] for c in machine.ran("docker rm -f meshproof-fault-")]
    assert removed == [f"meshproof-fault-{n}-meshproof-control-plane" for n in (1, 2)]


def test_what_a_killed_run_left_is_removed(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.fault("cut", "svca")
    assert "meshproof-fault-1-meshproof-control-plane" in machine.containers
    cluster.up()
    assert rules(machine) == []
    assert "meshproof-fault-1-meshproof-control-plane" not in machine.containers
    assert "meshproof-control-plane" in machine.containers


def test_numbers_and_names_are_checked_before_anything_runs(
    machine: Machine, cluster: ClusterMesh
) -> None:
    before = len(machine.commands)
    for kind, workload, how in (
        ("latency", "svca", {"ms": 0}),
        ("cut", "svca", {"source": "msgd.test"}),
        ("cut", "nobody", {}),
        ("heal", "svca", {"ms": 1}),
    ):
        with pytest.raises(UsageError):
            cluster.fault(kind, workload, **how)
    assert len(machine.commands) == before
