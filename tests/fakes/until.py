"""Waits for a fact in a test: the one deadline loop of the tests."""

from __future__ import annotations

import time
from collections.abc import Callable

DEADLINE = 300.0
"""Seconds after which a condition is taken for never; a loaded machine is slow, not broken."""


def until(check: Callable[[], object], what: str = "", *, within: float = DEADLINE) -> None:
    """Return when ``check`` is true; fail with ``what`` if that never happens."""
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)
