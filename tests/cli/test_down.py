"""``down``: of a mesh that is starting, and of one in a foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import is_starting, nothing_stays

pytestmark = pytest.mark.long

Started = Any

Until = Any

UP = ("up", "-f", "manifests")

RESOURCE = "Deployment default/svca created"


def test_down_ends_a_mesh_that_never_gets_live(
    started: Started, runtime_dir: Path, until: Until
) -> None:
    up = started(*UP, "-d", FAKE="never starts")
    until(lambda: is_starting(runtime_dir), "the daemon is starting")
    assert started("down").wait(300) == 0
    assert nothing_stays(runtime_dir)
    err = up.communicate(timeout=300)[1]
    assert up.returncode == 143
    assert err == "error: the mesh shop was told to end before it was live\n"


def test_down_from_elsewhere_ends_the_foreground(started: Started, runtime_dir: Path) -> None:
    up = started(*UP)
    assert up.stdout.readline() == f"{RESOURCE}\n"
    assert up.stdout.readline() == "svca-1 | hello\n"
    assert started("down").wait(300) == 0
    assert up.wait(300) == 0
