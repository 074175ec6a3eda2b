"""However a run ends, by whatever is killed and whenever: no process and no folder stays."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from meshproof.host import processes
from meshproof.host.process_identity import start_time
from meshproof.host.sweep import find_leftovers, sweep

pytestmark = pytest.mark.long


ROOT = Path(__file__).parents[2]
SHORT_LIVED = "sleep 1"
"""A child of the harness's stubborn process; it ends by itself every second."""
Until = Callable[[Callable[[], object], str], None]


class Harness:
    """A running ``harness.py``, and the lines that it writes."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("harness.py")), *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        line = self.read_line()
        self.run_id, self.folder = line["run_id"], Path(line["folder"])

    def read_line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line: dict[str, Any] = json.loads(self.process.stdout.readline())
        return line

    def remains(self) -> list[processes.MarkedProcess]:
        return processes.find_run(self.run_id)

    def daemon(self) -> int:
        """The pid of the grandchild that left its parent, its session and its group."""
        return int((self.folder / "daemon.log").read_text().split()[1])

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)

    def is_gone(self) -> bool:
        return not self.remains() and not self.folder.exists()


@pytest.fixture
def harness(runtime_dir: Path) -> Iterator[Callable[..., Harness]]:
    started: list[Harness] = []

    def start(*arguments: str) -> Harness:
        started.append(Harness(*arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        processes.kill_run(one.run_id)
        assert one.process.stdout is not None
        one.process.stdout.close()


def test_harness_killed(harness: Callable[..., Harness], until: Until, runtime_dir: Path) -> None:
    run = harness()
    run.read_line()
    assert processes.read_run_id(run.daemon()) == run.run_id
    assert len(run.remains()) >= 7
    run.kill()
    until(run.is_gone, "everything of a killed harness is gone")
    assert list((runtime_dir / "state").glob("*.json")) == [], "its name is free"


@pytest.mark.parametrize("seed", range(6))
def test_harness_killed_at_a_random_moment(
    harness: Callable[..., Harness], until: Until, seed: int
) -> None:
    run = harness()
    moment = random.Random(seed).uniform(0.0, 0.25)  # from before the supervisor to all running
    time.sleep(moment)  # the moment itself is what is tested, so there is nothing to wait for
    run.kill()
    run.process.wait()
    if run.folder.exists() and not run.remains():
        sweep()  # killed before there was a supervisor: the next run's sweep is what removes it
    until(run.is_gone, f"everything is gone after a kill at {moment:.3f} s")


def test_harness_killed_while_a_fork_of_it_holds_the_socket(
    harness: Callable[..., Harness], until: Until
) -> None:
    run = harness("--fork")
    run.read_line()
    run.kill()
    until(run.is_gone, "the owner's pidfd tells what the socket cannot")
    os.killpg(run.process.pid, signal.SIGKILL)


def test_control_c_reaches_no_process_but_the_harness(
    harness: Callable[..., Harness], until: Until
) -> None:
    run = harness()
    run.read_line()
    session = run.process.pid
    assert all(os.getsid(p.pid) != session for p in run.remains())
    os.killpg(session, signal.SIGINT)  # what a terminal does
    until(run.is_gone, "everything is gone after Ctrl-C")


def test_supervisor_killed(harness: Callable[..., Harness], until: Until) -> None:
    run = harness()
    os.kill(run.read_line()["supervisor"], signal.SIGKILL)
    assert run.read_line() == {"lost": []}, "nothing is left when on_lost is called"
    assert run.read_line() == {"folder": False}
    assert run.is_gone()


@pytest.mark.parametrize("seed", range(3))
def test_supervisor_of_pods_killed_at_a_random_moment(
    harness: Callable[..., Harness], until: Until, seed: int
) -> None:
    run = harness("--pods")
    line = run.read_line()
    if "no_pods" in line:
        pytest.skip(f"no pods on this machine: {line['no_pods']}")
    networks = {n for p in run.remains() if (n := network_of(p.pid))} - {network_of(os.getpid())}
    assert networks, "there is a pod's"
    time.sleep(random.Random(seed).uniform(0.0, 0.25))  # the moment itself is what is tested
    os.kill(line["supervisor"], signal.SIGKILL)
    assert run.read_line() == {"lost": []}, "the daemon, too, and what has another user"
    assert run.read_line() == {"folder": False}
    until(
        lambda: not networks & {network_of(pid) for pid in psutil.pids()}, "its networks are gone"
    )


def network_of(pid: int) -> str:
    """Its network namespace; empty for a process that has ended, or hides it."""
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    return ""


def test_supervisor_terminated(harness: Callable[..., Harness]) -> None:
    run = harness()
    os.kill(run.read_line()["supervisor"], signal.SIGTERM)
    assert run.read_line() == {"lost": []}
    assert run.read_line() == {"folder": False}
    assert run.is_gone()


def test_sweep_takes_what_a_double_kill_leaves_and_nothing_that_lives(
    harness: Callable[..., Harness], until: Until, runtime_dir: Path
) -> None:
    dead = harness()
    supervisor = dead.read_line()["supervisor"]
    daemon = dead.daemon()
    dead.process.send_signal(signal.SIGSTOP)  # so that it cannot clean up meanwhile
    os.kill(supervisor, signal.SIGKILL)
    dead.kill()
    dead.process.wait()
    until(lambda: dead.process.pid and start_time(supervisor) is None, "both are dead")
    assert daemon in [p.pid for p in find_leftovers().processes]
    assert dead.folder in find_leftovers().folders
    assert [p.stem for p in find_leftovers().names] == ["harness"]

    alive = harness()
    alive.read_line()
    before = {p.pid for p in alive.remains() if p.command != SHORT_LIVED}
    done = sweep()
    assert daemon in [p.pid for p in done.processes]
    assert alive.run_id not in {p.run_id for p in done.processes}
    assert dead.folder in done.folders
    assert dead.is_gone()
    assert {p.pid for p in alive.remains()} >= before
    assert alive.folder.exists()
    again = sweep()
    assert not {p.run_id for p in again.processes} & {dead.run_id, alive.run_id}
    assert not again.names
    assert (runtime_dir / "state" / "harness.json").exists(), "the living one's name stays"


def test_sweep_leaves_no_folder_of_a_run_with_another_runtime_dir(
    harness: Callable[..., Harness], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor that was about to remove it is killed with its run."""
    run = harness()
    supervisor = run.read_line()["supervisor"]
    os.kill(supervisor, signal.SIGSTOP)
    run.kill()
    run.process.wait()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    done = sweep()
    assert supervisor in [p.pid for p in done.processes]
    assert run.folder in done.folders
    assert run.is_gone()
