"""The daemon of ``up -d``: it holds nothing of its caller's, and its end is reported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import is_starting, nothing_stays

pytestmark = pytest.mark.long

Started = Any

Until = Any

UP = ("up", "-f", "manifests")


def test_the_daemon_lets_go_of_every_descriptor(started: Started, runtime_dir: Path) -> None:
    reader, writer = os.pipe()
    script = Path(__file__).parents[1] / "fakes" / "cli.py"
    up = subprocess.run(
        [sys.executable, str(script), *UP, "-d"],
        env={
            **os.environ,
            "PYTHONPATH": str(script.parents[2]),
            "MESHPROOF_NAME": "shop",
        },
        pass_fds=(writer,),
        check=True,
        capture_output=True,
    )
    os.close(writer)
    assert up.returncode == 0
    assert os.read(reader, 1) == b"", "end of file: nobody holds the other end"
    os.close(reader)
    assert started("down").wait(300) == 0


def test_a_daemon_that_vanishes_is_told(started: Started, runtime_dir: Path) -> None:
    up = started(*UP, "-d", FAKE="exits")
    err = up.communicate(timeout=300)[1]
    assert up.returncode == 1
    assert err.endswith("ended without a message\n")
    assert nothing_stays(runtime_dir)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_detached_start_that_is_told_to_end_ends_the_daemon_too(
    started: Started, runtime_dir: Path, until: Until, number: int
) -> None:
    up = started(*UP, "-d", FAKE="never starts")
    until(lambda: is_starting(runtime_dir), "the daemon is starting")
    os.killpg(up.pid, number)
    assert up.wait(300) == 128 + number
    assert nothing_stays(runtime_dir), "when the caller returns, the daemon is gone"
