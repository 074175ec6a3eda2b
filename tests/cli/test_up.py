"""``up``: in the foreground and detached; nothing stays, whoever is told to end and when."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from meshproof.host import process_identity, registry
from tests.cli.process import is_starting, nothing_stays
from tests.fakes.mesh import PROBLEM

pytestmark = pytest.mark.long

Started = Any

Until = Any

UP = ("up", "-f", "manifests")

RESOURCE = "Deployment default/svca created"

FAILURE = "error: svca ended with code 3; its last lines:\n    oops"


def test_detached_returns_when_live_and_down_waits_until_all_is_gone(
    started: Started, runtime_dir: Path
) -> None:
    up = started(*UP, "-d")
    out, err = up.communicate(timeout=300)  # a daemon that kept our pipes would hang this
    assert (up.returncode, out) == (0, f"{RESOURCE}\n")
    assert "live on 1 sidecar " in err
    entry = registry.find("shop")
    assert os.getsid(entry.pid) not in (entry.pid, os.getsid(0)), "no session leader: no terminal"
    down = started("down")
    assert (down.communicate(timeout=300)[1], down.returncode) == ("mesh shop is down\n", 0)
    assert process_identity.start_time(entry.pid) is None
    assert nothing_stays(runtime_dir)
    assert not list((runtime_dir / "state").glob("*.json"))


@pytest.mark.parametrize(
    ("detach", "fault", "expected"),
    [
        ((), "fails", (1, f"{FAILURE}\n")),
        (("-d",), "fails", (1, f"{FAILURE}\n")),
        (("-d",), "refuses", (2, f"{PROBLEM}\n")),
        (("-d",), "crashes", (1, "ZeroDivisionError: a bug\n")),
    ],
)
def test_a_failed_start_is_told_and_leaves_nothing(
    started: Started,
    runtime_dir: Path,
    detach: tuple[str, ...],
    fault: str,
    expected: tuple[int, str],
) -> None:
    up = started(*UP, *detach, FAKE=fault)
    out, err = up.communicate(timeout=300)
    assert (up.returncode, out) == (expected[0], "")
    assert err.endswith(expected[1])
    assert nothing_stays(runtime_dir)


def test_a_name_in_use_is_refused(started: Started, runtime_dir: Path) -> None:
    assert started(*UP, "-d").wait(300) == 0
    second = started(*UP)
    err = second.communicate(timeout=300)[1]
    assert second.returncode == 2
    assert "error: a mesh named shop is running already" in err
    assert started("down").wait(300) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_foreground_shows_logs_until_told_to_end(
    started: Started, runtime_dir: Path, number: int
) -> None:
    up = started(*UP)
    assert up.stdout.readline() == f"{RESOURCE}\n"
    assert up.stdout.readline() == "svca-1 | hello\n"
    up.send_signal(number)
    assert up.wait(300) == 0
    assert up.stderr.read().endswith("mesh shop is down\n")
    assert nothing_stays(runtime_dir)


def test_control_c_while_starting_exits_130(
    started: Started, runtime_dir: Path, until: Until
) -> None:
    up = started(*UP, FAKE="never starts")
    until(lambda: is_starting(runtime_dir), "it is starting")
    up.send_signal(signal.SIGINT)
    assert up.wait(300) == 130
    assert nothing_stays(runtime_dir)


def test_a_second_control_c_leaves_at_once_and_drops_the_name(
    started: Started, runtime_dir: Path, until: Until
) -> None:
    up = started(*UP, FAKE="never ends")
    assert up.stdout.readline() == f"{RESOURCE}\n"
    assert up.stdout.readline() == "svca-1 | hello\n"
    up.send_signal(signal.SIGINT)
    until(lambda: not (runtime_dir / "meshproof").exists(), "it is ending")
    up.send_signal(signal.SIGINT)
    assert up.wait(300) == 130
    assert nothing_stays(runtime_dir)


def test_a_reader_that_has_enough_ends_the_mesh(started: Started, runtime_dir: Path) -> None:
    up = started(*UP)
    up.stdout.close()
    assert up.wait(300) == 1
    assert nothing_stays(runtime_dir)
    up.stdout = None


def test_up_without_anything_to_start_says_what_it_wants(
    started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    up = started("up", "-d")
    err = up.communicate(timeout=300)[1]
    assert up.returncode == 2
    assert err == f"error: up: no -f, and no meshproof.yaml in {tmp_path}; wanted one of them\n"
