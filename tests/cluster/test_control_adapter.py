"""What other processes get of a cluster's mesh: commands to run, and growing logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.cluster.mesh import ClusterMesh
from meshproof.control.protocols import Remote
from meshproof.errors import UsageError
from tests.fakes.background import FakeStart
from tests.fakes.cluster_machine import Machine


def test_a_command_runs_in_the_app_s_container_of_the_workload_s_pod(
    cluster: ClusterMesh, tmp_path: Path
) -> None:
    assert isinstance(cluster, Remote)
    access = ("--kubeconfig", str(tmp_path / "meshproof" / "kubeconfig"))
    assert cluster.command("svca", terminal=False) == (
        "kubectl", *access, "-n", "payments", "exec", "-i", "svca-0", "-c", "svca", "--",
    )  # fmt: skip
    assert "-it" in cluster.command("svca", terminal=True)
    with pytest.raises(UsageError, match="nobody"):
        cluster.command("nobody", terminal=False)


def test_logs_are_followed_by_one_process_a_pod(
    cluster: ClusterMesh, machine: Machine, starting: FakeStart
) -> None:
    (file,) = cluster.log_files("svca")
    assert file.name == "svca-0.log"
    assert starting.commands[-1].endswith("-n payments logs -f svca-0 -c svca")
    queries = len(machine.ran("get pods"))
    assert cluster.log_files("svca") == [file]
    assert len(machine.ran("get pods")) == queries, "who looks ten times a second asks nothing"
    assert len(starting.commands) == 1


def test_the_gateway_and_outside_hosts_are_followed_too(
    cluster: ClusterMesh, starting: FakeStart
) -> None:
    cluster.log_files("gateway")
    cluster.log_files("msgd.test")
    assert starting.commands[0].endswith("logs -f istio-ingressgateway-0 -c istio-proxy")
    assert starting.commands[1] == "docker logs -f meshproof-msgd.test"


def test_a_workload_without_replicas_has_no_log_and_an_unknown_one_is_refused(
    cluster: ClusterMesh, starting: FakeStart
) -> None:
    cluster.scale("svcb-v0.1", 0)
    assert cluster.log_files("svcb-v0.1") == []
    with pytest.raises(UsageError, match="nobody"):
        cluster.log_files("nobody")


def test_down_ends_what_follows(cluster: ClusterMesh, starting: FakeStart) -> None:
    cluster.log_files("svca")
    cluster.down()
    assert starting.processes[0].terminated
