"""What other processes get of a cluster's mesh: commands to run, and logs that grow."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from meshproof.cluster.commands import Commands
from meshproof.cluster.log_follower import LogFollower
from meshproof.cluster.mesh import ClusterMesh
from meshproof.control.protocols import Remote
from meshproof.errors import UsageError
from tests.fakes.cluster_machine import Machine

KUBECTL = "kubectl --kubeconfig"


class Running:
    """A process that was started and did not end."""

    code: int | None = None
    ended = False

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.ended = True

    def wait(self, timeout: float | None = None) -> int:
        return 0


class Starting:
    """Stands in for ``machine.start``."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.running: list[Running] = []

    def __call__(self, argv: Sequence[str], doing: str, *, output: Path | None = None) -> Running:
        assert output is not None
        self.commands.append(" ".join(argv))
        self.running.append(Running())
        return self.running[-1]


@pytest.fixture
def starting(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Starting:
    made = Starting()
    monkeypatch.setattr(machine, "start", made)
    return made


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


def test_lines_of_several_pods_say_whose_they_are(
    cluster: ClusterMesh, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine.kube, "log", lambda _ns, pod: f"one of {pod}\ntwo\n")
    assert cluster.named_logs("svca") == "one of svca-0\ntwo\n"
    cluster.scale("svca", 2)
    assert cluster.named_logs("svca").splitlines() == [
        "svca-0 | one of svca-0", "svca-0 | two", "svca-1 | one of svca-1", "svca-1 | two",
    ]  # fmt: skip


def test_logs_are_followed_by_one_process_a_pod(
    cluster: ClusterMesh, machine: Machine, starting: Starting
) -> None:
    (file,) = cluster.log_files("svca")
    assert file.name == "svca-0.log"
    assert starting.commands[-1].endswith("-n payments logs -f svca-0 -c svca")
    asked = len(machine.ran("get pods"))
    assert cluster.log_files("svca") == [file]
    assert len(machine.ran("get pods")) == asked, "who looks ten times a second asks nothing"
    assert len(starting.commands) == 1


def test_the_gateway_and_outside_hosts_are_followed_too(
    cluster: ClusterMesh, starting: Starting
) -> None:
    cluster.log_files("gateway")
    cluster.log_files("msgd.test")
    assert starting.commands[0].endswith("logs -f istio-ingressgateway-0 -c istio-proxy")
    assert starting.commands[1] == "docker logs -f meshproof-msgd.test"


def test_a_workload_without_replicas_has_no_log_and_an_unknown_one_is_refused(
    cluster: ClusterMesh, starting: Starting
) -> None:
    cluster.scale("svcb-v0.1", 0)
    assert cluster.log_files("svcb-v0.1") == []
    with pytest.raises(UsageError, match="nobody"):
        cluster.log_files("nobody")


def test_down_ends_what_follows(cluster: ClusterMesh, starting: Starting) -> None:
    cluster.log_files("svca")
    cluster.down()
    assert starting.running[0].ended


def test_a_follower_that_ended_is_begun_again_from_where_it_was(
    machine: Machine, starting: Starting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    following = LogFollower(machine, tmp_path)
    following.file("a", ["kubectl", "logs", "-f", "a"], "--since-time")
    (tmp_path / "a.log").touch()
    starting.running[0].code = 1
    following.file("a", ["kubectl", "logs", "-f", "a"], "--since-time")
    assert len(starting.commands) == 1, "not at once"
    now[0] += 2
    following.file("a", ["kubectl", "logs", "-f", "a"], "--since-time")
    assert starting.commands[1].startswith("kubectl logs -f a --since-time=20")
    following.close()
    now[0] += 2
    following.file("a", ["kubectl", "logs", "-f", "a"], "--since-time")
    assert len(starting.commands) == 2, "nothing is begun after the end"


def test_what_a_real_process_prints_is_in_the_file(
    tmp_path: Path, until: Callable[[Callable[[], object], str], None]
) -> None:
    following = LogFollower(Commands(tmp_path / "commands.log"), tmp_path / "logs")
    script = "import sys,time; print('out', flush=True); print('err', file=sys.stderr, flush=True)"
    file = following.file("a", [sys.executable, "-c", script], "--since")
    until(lambda: file.read_text().splitlines() == ["out", "err"], "both lines are there")
    following.close()
    assert "started" in (tmp_path / "commands.log").read_text()


def test_a_relative_kubeconfig_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", "a:/b/c")
    commands = Commands(tmp_path / "commands.log")
    monkeypatch.chdir("/")
    said = commands.run(["sh", "-c", "echo $KUBECONFIG"], "asking")
    assert said.text == f"{tmp_path}/a:/b/c\n"
