"""The identity of processes beyond their pid: start times, and run ids made of them.

A run id is ``<owner pid>-<owner's start time>-<random>`` in base 36, so a process's environment
alone tells whether the mesh process that it belongs to still lives: a pid is used again, a pid
with a start time (clock ticks since boot) is not.

The start time is read from /proc by hand. psutil gives it in seconds of the wall clock, which move
when the clock is set; the ticks stay, and two processes must agree on them.
"""

from __future__ import annotations

import os
import re
import string
from pathlib import Path

RUN_ID_VARIABLE = "MESHPROOF_RUN_ID"
"""Environment variable of every process that a mesh starts."""
RUN_DIR_VARIABLE = "MESHPROOF_RUN_DIR"
"""And of its supervisor alone: the run folder."""
_DIGITS = string.digits + string.ascii_lowercase
_RUN_ID = re.compile(r"([0-9a-z]+)-([0-9a-z]+)-[0-9a-z]+")


def start_time(pid: int) -> int | None:
    """Clock ticks from boot to the start of a living process; None for none or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name in parentheses may hold anything, so fields are counted after the last one.
    fields = stat.rpartition(b")")[2].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def new_run_id() -> str:
    """A run id that this process owns."""
    pid = os.getpid()
    ticks = start_time(pid)
    assert ticks is not None, "this process is alive"
    return f"{_base36(pid)}-{_base36(ticks)}-{os.urandom(2).hex()}"


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def owner_alive(run_id: str) -> bool | None:
    """Whether the mesh process of a run lives; None where the id is not one of ours."""
    match = _RUN_ID.fullmatch(run_id)
    if match is None:
        return None
    return start_time(int(match[1], 36)) == int(match[2], 36)
