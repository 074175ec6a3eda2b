"""What /proc says of a mesh's processes: memory and processor time."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from meshproof.host import procfs

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    sidecar: bool
    """Whether it is an Envoy."""


def of_this_process() -> list[Process]:
    """Every process of every mesh that this process has up."""
    mine = procfs.new_run_id().rpartition("-")[0]
    return [
        Process(p.pid, Path(p.command.split(" ", 1)[0]).name == "envoy")
        for p in procfs.marked()
        if p.run_id.rpartition("-")[0] == mine
    ]


def memory(pid: int) -> float:
    """Proportional set size in bytes: pages that processes share are divided among them."""
    return pss(Path(f"/proc/{pid}/smaps_rollup").read_text())


def pss(smaps_rollup: str) -> float:
    """Bytes. Pure. Raises ValueError where there is no such line."""
    found = re.search(r"^Pss: +(\d+) kB$", smaps_rollup, re.MULTILINE)
    if found is None:
        raise ValueError("smaps_rollup has no line Pss")
    return int(found[1]) * 1024


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and its threads have used."""
    return used(Path(f"/proc/{pid}/stat").read_text())


def used(stat: str) -> float:
    """Seconds in user and system mode. Pure. The name in parentheses may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
