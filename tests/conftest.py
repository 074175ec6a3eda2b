"""Fixtures that tests of several packages share."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

DEADLINE = 20.0
"""Seconds after which a condition is taken for never; a loaded machine is slow, not broken."""


@pytest.fixture
def until() -> Callable[[Callable[[], object], str], None]:
    """Wait until a check is true, and fail naming what was waited for when it never is."""

    def wait(check: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not check():
            assert time.monotonic() < deadline, f"never: {what}"
            time.sleep(0.01)

    return wait


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An XDG_RUNTIME_DIR of the test's own, short enough for socket paths."""
    folder = Path(tempfile.mkdtemp(prefix="mp-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("MESHPROOF_STATE", str(folder / "state"))
    yield folder
    shutil.rmtree(folder)
