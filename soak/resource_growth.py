"""Does anything grow without end: memory, descriptors, threads?"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from bench.processes import memory, of_this_process
from meshproof.verdicts.verdict import Verdict, conclude

EVERY = 2.0
"""Seconds between two samples."""
WARM = 1 / 3
"""Part of the run after which nothing may grow much any more: pools and caches are full."""
MEGABYTE = 1 << 20
HARNESS_MAY, ENVOY_MAY = 64 * MEGABYTE, 24 * MEGABYTE
"""Bytes of growth from then to the end that are no leak: allocators take memory in large pieces."""
DESCRIPTORS_MAY, THREADS_MAY = 16, 4
"""More at the end than before the load, with the same replicas: sockets kept for the next call."""


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """Bytes are proportional set sizes."""

    at: float
    harness: float
    envoys: dict[int, float]
    """By process id: one that was started again is another."""
    processes: int
    descriptors: int
    threads: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def sample() -> ResourceSample:
    """Of this process, and of all that its meshes run."""
    processes = of_this_process()
    envoys: dict[int, float] = {}
    for process in processes:
        if process.sidecar:
            try:
                envoys[process.pid] = memory(process.pid)
            except psutil.Error:
                continue  # it has ended meanwhile
    return ResourceSample(
        time.time(),
        memory(os.getpid()),
        envoys,
        len(processes),
        psutil.Process().num_fds(),
        threading.active_count(),
    )


class Sampler:
    """Samples from ``start`` to ``stop``, in a thread of its own."""

    def __init__(self) -> None:
        self.samples: list[ResourceSample] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soak-samples")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> list[ResourceSample]:
        """Safe to call twice, and without ``start``."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        return self.samples

    def _run(self) -> None:
        while True:
            self.samples.append(sample())
            if self._over.wait(EVERY):
                return


def bounded(
    samples: Sequence[ResourceSample], before: ResourceSample, after: ResourceSample
) -> Verdict:
    """Memory by the samples under load; descriptors and threads ``before`` and ``after`` it, when
    the same replicas ran."""
    later = samples[int(len(samples) * WARM) :]
    harness = later[-1].harness - later[0].harness if later else 0.0
    last = later[-1].envoys if later else {}
    first: dict[int, float] = {}
    for one in later:
        for pid, size in one.envoys.items():
            first.setdefault(pid, size)
    envoy = max((size - first[pid] for pid, size in last.items()), default=0.0)
    grown = {
        "harness_bytes": (harness, HARNESS_MAY),
        "envoy_bytes": (envoy, ENVOY_MAY),
        "descriptors": (after.descriptors - before.descriptors, DESCRIPTORS_MAY),
        "threads": (after.threads - before.threads, THREADS_MAY),
        "processes": (after.processes - before.processes, 0),
    }
    problems = [
        f"{name} grew by {by:,.0f}, and {may:,} is no leak"
        for name, (by, may) in grown.items()
        if by > may
    ]
    size = later[-1].harness if later else 0.0
    return conclude(
        "growth", len(later),
        {name: int(by) for name, (by, _) in grown.items()},
        problems,
        wanted="memory, descriptors, threads and processes bounded",
        found=f"harness {_mb(harness)} to {size / MEGABYTE:.0f} MB, largest of {len(last)} Envoys"
        f" {_mb(envoy)}; descriptors {after.descriptors - before.descriptors:+d},"
        f" threads {after.threads - before.threads:+d}",
        allowed=f"{_mb(HARNESS_MAY)}, {_mb(ENVOY_MAY)}, {DESCRIPTORS_MAY:+d}, {THREADS_MAY:+d}",
    )  # fmt: skip


def _mb(size: float) -> str:
    return f"{size / MEGABYTE:+.1f} MB"
