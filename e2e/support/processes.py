"""The processes of a mesh, for faults that the contract has no method for; and waiting."""

from __future__ import annotations

from collections.abc import Callable

from meshproof import wait
from meshproof.host import process_identity, processes

WITHIN = 300.0
"""Seconds after which a condition counts as never; a loaded machine is slow, not broken."""


def processes_of_run(run_id: str) -> list[processes.MarkedProcess]:
    """Every process that carries a run id."""
    return processes.find_run(run_id)


def find_pid(run_id: str, text: str) -> int:
    """The pid of the oldest process of a run whose command contains ``text``."""
    pids = [p.pid for p in processes_of_run(run_id) if text in p.command]
    assert pids, f"run {run_id} has no process whose command contains {text}"
    return min(pids, key=lambda pid: process_identity.start_time(pid) or 0)


def until(check: Callable[[], object], what: str) -> None:
    """Return when ``check`` is true; fail with ``what`` where that never happens."""
    try:
        wait.until(lambda: "" if check() else "not yet", what, within=WITHIN, every=0.01)
    except wait.DeadlineExceeded:
        raise AssertionError(f"never: {what}") from None
