"""The process that runs a mesh may be killed at any moment: no process, socket or folder stays."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.support.processes import processes_of_run, until
from meshproof.host import processes, run_folder
from meshproof.host.sweep import sweep

ROOT = Path(__file__).parents[1]
STEPS = ("up", "apply", "scale", "down")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
KILLS = int(os.environ.get("MESHPROOF_KILLS", "4"))
"""Four cover every step once, twelve every step with every signal, each at a random moment."""
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about local processes"
    ),
]


class Driver:
    """A running ``e2e.support.driver``."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "e2e.support.driver"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.run_id = ""

    def reach(self, step: str) -> None:
        """Return when the step has begun."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            self.run_id = message.get("run_id", self.run_id)
            if message["step"] == step:
                return
        raise AssertionError(f"the driver ended before {step}")

    def folders(self) -> list[Path]:
        return [base / self.run_id for base in run_folder.bases() if (base / self.run_id).exists()]

    def traces(self) -> list[str]:
        """What remains of the run. Its sockets belong to its processes, or lie in its folder."""
        return [*(str(p) for p in processes_of_run(self.run_id)), *(str(f) for f in self.folders())]


@pytest.fixture
def driver() -> Iterator[Driver]:
    driver = Driver()
    try:
        yield driver
    finally:
        driver.process.kill()
        driver.process.wait()
        if driver.run_id:
            processes.kill_run(driver.run_id)
        assert driver.process.stdout is not None
        driver.process.stdout.close()


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_kill_at_any_moment_leaves_nothing(driver: Driver, kill: int) -> None:
    step, number = STEPS[kill % 4], SIGNALS[(kill + kill // 4) % 3]
    moment = random.uniform(0.0, 0.4)
    driver.reach(step)
    time.sleep(moment)  # the moment itself is what is tested, so there is nothing to wait for
    driver.process.send_signal(number)
    driver.process.wait(timeout=300)
    if number == signal.SIGKILL and step in ("up", "down"):
        # Before there is a supervisor, or when it has gone already, a folder may stay.
        until(lambda: not processes_of_run(driver.run_id), f"no process stays ({moment:.3f} s)")
        sweep()
    until(lambda: not driver.traces(), f"nothing stays of a kill {moment:.3f} s after {step}")


def test_a_driver_that_is_left_alone_cleans_up(driver: Driver) -> None:
    """The control: there is something to leave behind, and it goes."""
    driver.reach("apply")
    assert len(processes_of_run(driver.run_id)) >= 6, (
        "supervisor, gateway, two apps with their sidecars"
    )
    assert driver.folders()
    driver.reach("over")
    assert driver.traces() == []
