"""Faults of processes, and that reset undoes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import MeshproofError, Unsupported, UsageError
from meshproof.mesh import Capability
from tests.fakes.cluster_machine import Machine, up_on_context


def signals(machine: Machine) -> list[str]:
    """Container, signal, and from which of its processes on."""
    node = "docker exec meshproof-control-plane sh -c "
    return [" ".join(c.split()[-3:]) for c in machine.ran(node) if "crictl" in c]


def test_faults_of_processes_are_undone_by_reset(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.fault("pause", "svca")
    cluster.fault("pause", "svcb-v0.1", part="sidecar")
    assert signals(machine) == ["svca-0.svca STOP 1", "svcb-v0.1-0.istio-proxy STOP 2"]
    cluster.reset()
    assert signals(machine)[2:] == ["svcb-v0.1-0.istio-proxy CONT 2", "svca-0.svca CONT 1"]
    cluster.fault("pause", "msgd.test")
    assert machine.ran("docker pause meshproof-msgd.test")
    cluster.fault("clear", "svca")
    assert not machine.ran("docker unpause")
    cluster.fault("clear", "msgd.test")
    assert machine.ran("docker unpause meshproof-msgd.test")
    assert not machine.since(lambda: cluster.fault("clear", "")), "there is nothing left to undo"


def test_one_of_several_is_killed_by_its_name(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.scale("svca", 2)
    cluster.fault("kill", "svca", replica="svca-1")
    assert signals(machine) == ["svca-1.svca KILL 1"]
    with pytest.raises(UsageError, match="svca has no replica svca-7; it has svca-0, svca-1"):
        cluster.fault("kill", "svca", replica="svca-7")


def test_a_reset_waits_for_those_that_were_killed(
    machine: Machine, cluster: ClusterMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshproof.cluster.faults._READY_AGAIN", 0.0)
    cluster.fault("kill", "svca", part="sidecar")
    with pytest.raises(MeshproofError, match=r"svca to be ready again.*svca-0 is as before"):
        cluster.reset()
    cluster.fault("kill", "svca")
    machine.kube.restarts["svca-0"] = 1
    cluster.reset()


def test_an_outside_host_that_is_killed_starts_again(
    machine: Machine, cluster: ClusterMesh
) -> None:
    commands = machine.since(lambda: cluster.fault("kill", "msgd.test"))
    assert commands[:2] == [f"docker {verb} meshproof-msgd.test" for verb in ("kill", "start")]


def test_what_is_not_there_is_refused_by_name(cluster: ClusterMesh) -> None:
    with pytest.raises(Unsupported, match="fault slow: a mesh on a cluster has kill, pause"):
        cluster.fault("slow", "svca")
    with pytest.raises(UsageError, match=r"msgd.test is an outside host: it has no sidecar"):
        cluster.fault("kill", "msgd.test", part="sidecar")
    with pytest.raises(UsageError, match="fault kill: ms: wanted part and replica"):
        cluster.fault("kill", "svca", ms=5)
    with pytest.raises(UsageError, match="wanted app or sidecar"):
        cluster.fault("kill", "svca", part="pod")


def test_a_context_has_no_nodes_of_ours(machine: Machine, tmp_path: Path) -> None:
    mesh = up_on_context(machine, tmp_path)
    with pytest.raises(Unsupported, match="part=sidecar needs the nodes of a kind cluster"):
        mesh.fault("kill", "svca", part="sidecar")
    with pytest.raises(Unsupported, match="fault latency of svca: network faults need the nodes"):
        mesh.fault("latency", "svca", ms=5)
    assert mesh.capabilities == {Capability.RELEASE}
    mesh.fault("kill", "svca")
    assert machine.ran("delete pod svca-0 --grace-period=0 --force")
    mesh.fault("pause", "svcb-v0.1")
    assert machine.ran("SIGSTOP")
