"""The supervisor of a mesh is killed at random moments: how long until nothing is left of it.

The mesh is that of ``e2e.support.driver`` (start, load, rules, a scale), in a process of its own;
moments are drawn from its whole life. Nothing left: no process with the run's id, no network
namespace of one, no run folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.figures import Figure, Part, at_most
from bench.load import ROOT, LoadError
from meshproof.host import processes, run_folder

KILLS = 20
LIFE = 6.0
"""Seconds after the start from which moments are drawn: until the rules are through."""
LIMIT = 30.0
_ROUND = 0.005


def measure() -> Part:
    rng = random.Random(20)
    moments = [rng.uniform(0.0, LIFE) for _ in range(KILLS)]
    durations = [_kill(moment) for moment in moments]
    note = f"{KILLS} kills, at most {LIFE:g} s after the start"
    return Part(
        "supervisor killed",
        [Figure("slowest until nothing is left", max(durations), "s", at_most(3), note)],
        {"moments": moments, "durations": durations},
    )


def _kill(moment: float) -> float:
    """Seconds from SIGKILL until nothing is left. Raises LoadError where something stays."""
    with subprocess.Popen(
        [sys.executable, "-m", "e2e.support.driver"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    ) as driver:
        assert driver.stdout is not None
        run_id = json.loads(driver.stdout.readline())["run_id"]
        begin = time.monotonic()
        try:
            supervisor = _supervisor(run_id)
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            networks = {_network(p.pid) for p in processes.find_run(run_id)} - {
                _network(os.getpid())
            }
            with contextlib.suppress(ProcessLookupError):  # the mesh was quicker
                os.kill(supervisor, signal.SIGKILL)
            return _wait_until_empty(run_id, networks - {""})
        finally:
            driver.kill()
            processes.kill_run(run_id)


def _supervisor(run_id: str) -> int:
    while True:
        for process in processes.find_run(run_id):
            if "supervisor.py" in process.command:
                return process.pid
        time.sleep(_ROUND)


def _network(pid: int) -> str:
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    return ""


def _wait_until_empty(run_id: str, networks: set[str]) -> float:
    begin = time.monotonic()
    while time.monotonic() < begin + LIMIT:
        left = [str(p) for p in processes.find_run(run_id)]
        left += [str(b / run_id) for b in run_folder.bases() if (b / run_id).exists()]
        left += networks & {_network(pid) for pid in psutil.pids()} if not left else ()
        if not left:
            return time.monotonic() - begin
        time.sleep(_ROUND)
    raise LoadError(f"{LIMIT:g} s after the kill there is still {left}")
