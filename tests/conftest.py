"""Fixtures that tests of several packages share."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.fakes.until import until as wait_until

settings.register_profile(
    "meshproof",
    deadline=None,
    database=None,
    derandomize="EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("meshproof")
"""Every run draws what the one before drew, unless it names a number of examples: what fails is the
change at hand. No example has a time limit: how long one takes is the machine's business."""


@pytest.fixture
def until() -> Callable[[Callable[[], object], str], None]:
    """``tests.fakes.until.until``."""
    return wait_until


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An XDG_RUNTIME_DIR of the test's own, short enough for socket paths."""
    folder = Path(tempfile.mkdtemp(prefix="mp-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("MESHPROOF_STATE", str(folder / "state"))
    yield folder
    shutil.rmtree(folder)
