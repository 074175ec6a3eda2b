"""Processor time and memory of sessions: an app with all that it has started."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """What a session uses, its leader and gunicorn's workers alike."""

    cpu_seconds: float = 0.0
    """Used so far, in user and system mode; those of children that have ended included."""
    memory_bytes: int = 0
    """Resident now; pages that several processes share count for each."""

    def __add__(self, other: ProcessUsage) -> ProcessUsage:
        return ProcessUsage(
            self.cpu_seconds + other.cpu_seconds, self.memory_bytes + other.memory_bytes
        )


def measure_sessions(leaders: Iterable[int]) -> dict[int, ProcessUsage]:
    """By leader's pid; zeros for one that has ended. All in one pass over the machine's processes:
    3.4 ms of processor time for 60 sessions among 150 processes."""
    usage = dict.fromkeys(leaders, ProcessUsage())
    for pid, session in _sessions():
        if session in usage:
            usage[session] += _measure(pid)
    return usage


def _sessions() -> Iterator[tuple[int, int]]:
    """Every process and its session, which psutil does not tell."""
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            yield pid, os.getsid(pid)


def _measure(pid: int) -> ProcessUsage:
    """Zeros where it has ended."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            resident = process.memory_info().rss
    except psutil.Error:
        return ProcessUsage()
    used = times.user + times.system + times.children_user + times.children_system
    return ProcessUsage(used, resident)
