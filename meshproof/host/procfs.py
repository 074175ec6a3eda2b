"""What /proc says of processes: who is alive, who carries a run id, and how to end exactly those.

A run id is ``<owner pid>-<owner's start time>-<random>`` in base 36, so a process's environment
alone tells whether the mesh process that it belongs to still lives: a pid is used again, a pid
with a start time (clock ticks since boot) is not.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import string
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RUN_ID_VARIABLE = "MESHPROOF_RUN_ID"
_DIGITS = string.digits + string.ascii_lowercase
_RUN_ID = re.compile(r"([0-9a-z]+)-([0-9a-z]+)-[0-9a-z]+")
_ROUND = 0.01
"""Seconds between two looks at processes that were killed and are not gone yet."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A process that carries a run id."""

    pid: int
    run_id: str
    command: str


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def start_time(pid: int) -> int | None:
    """Clock ticks from boot to the start of a living process; None for none or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name in parentheses may hold anything, so fields are counted after the last one.
    fields = stat.rpartition(b")")[2].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def session_of(pid: int) -> int | None:
    """The session of a process: what we start leads one, and its workers stay in it."""
    try:
        return os.getsid(pid)
    except OSError:
        return None


def new_run_id() -> str:
    """A run id that this process owns."""
    pid = os.getpid()
    began = start_time(pid)
    assert began is not None, "this process is alive"
    return f"{_base36(pid)}-{_base36(began)}-{secrets.token_hex(2)}"


def owner_alive(run_id: str) -> bool | None:
    """Whether the mesh process of a run lives; None where the id is not one of ours."""
    match = _RUN_ID.fullmatch(run_id)
    if match is None:
        return None
    return start_time(int(match[1], 36)) == int(match[2], 36)


def run_id_of(pid: int) -> str:
    """The run id in the environment a process of this user started with, or an empty text."""
    try:
        if Path(f"/proc/{pid}").stat().st_uid != os.getuid():
            return ""
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return ""
    mark = f"{RUN_ID_VARIABLE}=".encode()
    for entry in environ.split(b"\0"):
        if entry.startswith(mark):
            return entry[len(mark) :].decode(errors="replace")
    return ""


def marked() -> Iterator[Marked]:
    """Every process of this user, but this one, that carries a run id."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        pid = int(entry.name)
        if run_id := run_id_of(pid):
            yield Marked(pid, run_id, command_of(pid))


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return ""


def kill_run(run_id: str, within: float = 5.0) -> tuple[Marked, ...]:
    """SIGKILL every process of a run, those started meanwhile too; returns what was killed.

    Returns when none is left, or after ``within`` seconds (a process may be stuck in the kernel).
    """
    killed: dict[int, Marked] = {}
    deadline = time.monotonic() + within
    while left := [process for process in marked() if process.run_id == run_id]:
        killed.update((process.pid, process) for process in left)
        for process in left:
            _kill_if_marked(process)
        if time.monotonic() >= deadline:
            break
        time.sleep(_ROUND)
    return tuple(killed.values())


def _kill_if_marked(process: Marked) -> None:
    """The pid is held by its pidfd before the second look, so no other process can be hit."""
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(process.pid)
        try:
            if run_id_of(process.pid) == process.run_id:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)
