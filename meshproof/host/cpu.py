"""How much processor time an app has used, its workers included, as /proc says."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from meshproof.host import procfs

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds(leaders: Iterable[int]) -> dict[int, float]:
    """Processor seconds of every session that one of ``leaders`` leads: what the app and all that
    it started have used, and what their ended children had. One reading of /proc for all."""
    found = dict.fromkeys(leaders, 0.0)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            leader = procfs.session_of(int(entry.name))
            if leader in found:
                found[leader] += _used(entry / "stat")
    return found


def _used(stat: Path) -> float:
    """User and system time, of a process and of the children that it has waited for."""
    try:
        # The name in parentheses may hold anything, so fields are counted after the last one.
        fields = stat.read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / _TICKS
