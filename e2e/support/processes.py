"""A mesh's processes as this machine shows them; for faults that no contract has words for."""

from __future__ import annotations

import time
from collections.abc import Callable

from meshproof.host import process_identity, processes

WITHIN = 20.0
"""Seconds after which a condition is taken for never; a loaded machine is slow, not broken."""


def of_run(run_id: str) -> list[processes.MarkedProcess]:
    """Every process that carries a run id."""
    return processes.find_run(run_id)


def one(run_id: str, word: str) -> int:
    """The pid of the oldest process of a run whose command has ``word``."""
    found = [p.pid for p in of_run(run_id) if word in p.command]
    assert found, f"run {run_id} has no process whose command has {word}"
    return min(found, key=lambda pid: process_identity.start_time(pid) or 0)


def until(check: Callable[[], object], what: str) -> None:
    """Return when ``check`` is true; fail naming what was waited for when that never comes."""
    deadline = time.monotonic() + WITHIN
    while not check():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)
