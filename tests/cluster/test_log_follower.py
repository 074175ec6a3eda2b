"""Logs are followed by one process a pod."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from meshproof.cluster.commands import Commands
from meshproof.cluster.log_follower import LogFollower
from tests.fakes.background import FakeStart
from tests.fakes.cluster_machine import Machine


def test_a_follower_that_ended_is_begun_again_from_where_it_was(
    machine: Machine, starting: FakeStart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    following = LogFollower(machine, tmp_path)
    following.file("a", ["kubectl", "logs", "-f", "a"], "--since-time")
    (tmp_path / "a.log").touch()
    starting.processes[0].code = 1
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
