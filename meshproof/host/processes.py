"""Processes that carry a run id: how to find them, and how to kill exactly those."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from meshproof.host.process_identity import RUN_DIR_VARIABLE, RUN_ID_VARIABLE
from meshproof.wait import DeadlineExceeded, until

_ROUND = 0.01
"""Seconds between two looks at processes that were killed and have not ended yet."""


@dataclass(frozen=True, slots=True)
class MarkedProcess:
    """A process that carries a run id."""

    pid: int
    run_id: str
    command: str


def find_folder(run_id: str) -> str:
    """The run folder, as the run's supervisor knows it; empty where none lives."""
    for process in find_run(run_id):
        with contextlib.suppress(psutil.Error, OSError):
            if folder := psutil.Process(process.pid).environ().get(RUN_DIR_VARIABLE, ""):
                return folder
    return ""


def read_run_id(pid: int, *, any_user: bool = False) -> str:
    """The run id in the environment that a process of this user started with, else an empty
    string; of any user's where that can be read."""
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        if any_user or process.uids().effective == os.getuid():
            return process.environ().get(RUN_ID_VARIABLE, "")
    return ""


def find_marked(*, any_user: bool = False) -> Iterator[MarkedProcess]:
    """Every process of this user, except this one, that carries a run id.

    8 ms of processor time among 150 processes.
    """
    for pid in psutil.pids():
        if pid != os.getpid() and (run_id := read_run_id(pid, any_user=any_user)):
            yield MarkedProcess(pid, run_id, _command_of(pid))


def _command_of(pid: int) -> str:
    with contextlib.suppress(psutil.Error, OSError):
        return " ".join(psutil.Process(pid).cmdline())
    return ""


def find_run(run_id: str) -> list[MarkedProcess]:
    """Every process of one run; in a pod of root's it may have another user."""
    return [process for process in find_marked(any_user=True) if process.run_id == run_id]


def kill_run(run_id: str, within: float = 5.0) -> tuple[MarkedProcess, ...]:
    """SIGKILL every process of a run, those started meanwhile too; returns what was killed.

    Returns when none is left, or after ``within`` seconds (a process may be stuck in the kernel).
    """
    killed: dict[int, MarkedProcess] = {}

    def kill_the_rest() -> str:
        rest = find_run(run_id)
        killed.update((process.pid, process) for process in rest)
        for process in rest:
            _kill_if_marked(process)
        return f"{len(rest)} processes of run {run_id}" if rest else ""

    with contextlib.suppress(DeadlineExceeded):
        until(kill_the_rest, "waiting for killed processes to end", within=within, every=_ROUND)
    return tuple(killed.values())


def _kill_if_marked(process: MarkedProcess) -> None:
    """The pid is held by its pidfd before the second look, so no other process can be hit."""
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(process.pid)
        try:
            if read_run_id(process.pid, any_user=True) == process.run_id:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)
