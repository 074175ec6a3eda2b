"""Memory and processor time of a mesh's processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from meshproof.host import process_identity, processes


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    sidecar: bool
    """Whether it is an Envoy."""


def of_this_process() -> list[Process]:
    """Every process of every mesh that this process has up."""
    mine = process_identity.new_run_id().rpartition("-")[0]
    return [
        Process(p.pid, Path(p.command.split(" ", 1)[0]).name == "envoy")
        for p in processes.find_marked()
        if p.run_id.rpartition("-")[0] == mine
    ]


def memory(pid: int) -> float:
    """Proportional set size in bytes: pages that processes share are divided among them.

    Raises psutil.Error for a process that has ended.
    """
    return float(psutil.Process(pid).memory_full_info().pss)


def cpu_seconds(pid: int) -> float:
    """Seconds in user and system mode that a process and its threads have used.

    Raises psutil.Error for a process that has ended.
    """
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
