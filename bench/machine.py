"""What machine the figures are of."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from meshproof.embedded.pod import envoy_binary


def describe() -> dict[str, str | int | float]:
    """Processor, cores, memory in GiB, kernel, Python, Envoy, and the load before we began."""
    return {
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "envoy": envoy_binary.version(),
        "load_before": load(),
    }


def load() -> float:
    """The mean number of processes that wanted a core in the last minute, ours among them: what
    else ran tells whether absolute figures mean anything."""
    return round(os.getloadavg()[0], 2)


def line(machine: dict[str, str | int | float]) -> str:
    return (
        "{cores} cores of {cpu}, {memory_gib} GiB, Linux {kernel}, Python {python}, Envoy {envoy}, "
        "load {load_before} before and {load_after} after"
    ).format(**machine)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for entry in info.read_text().splitlines():
            if entry.startswith("model name"):
                return entry.split(":", 1)[1].strip()
    return platform.machine()
