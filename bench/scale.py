"""Start, convergence, memory and idle processor time with 10, 50 and 100 replicas.

Ten workloads grow from one replica to ten. A hundred workloads of one replica are the hardest
shape and stand apart: every sidecar knows every Service, so configuration grows with its square.

The apps are bench's own (``bench.echo``): what is measured is the mesh, and not how long a
hundred Flask processes take to start on a few cores.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import many, processes, suite
from bench.figures import Figure, Part, Target, at_most, percentile
from bench.load import LoadError, answered
from meshproof.mesh import STDIN, Mesh, Source

SHAPES = ((10, 1), (10, 5), (10, 10), (100, 1))
"""Workloads, and replicas of each."""
TARGETS_OF = (10, 10)
SWITCHES = 60
IDLE_SECONDS = 4.0
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """One size of mesh. Seconds, bytes, and processor seconds a second."""

    workloads: int
    replicas: int
    up: float
    live: list[float]
    memory: list[float]
    """Of each sidecar: proportional set size after start."""
    idle: dict[str, float]
    """Sidecars (``envoys``), and the mesh's own process (``mesh``)."""

    @property
    def title(self) -> str:
        return f"{self.workloads} x {self.replicas} replicas"

    def as_dict(self) -> dict[str, Any]:
        return {"up": self.up, "live": self.live, "memory": self.memory, "idle": self.idle}


def measure() -> Part:
    samples = [_sample(workloads, replicas) for workloads, replicas in SHAPES]
    figures = [figure for sample in samples for figure in _figures(sample)]
    return Part("scale", figures, {s.title: s.as_dict() for s in samples})


def _sample(workloads: int, replicas: int) -> Sample:
    with tempfile.TemporaryDirectory(prefix="meshproof-bench-") as folder:
        project = many.write(Path(folder), workloads, replicas)
        begin = time.monotonic()
        with suite.running(project, "scale") as mesh:
            answered(f"{mesh.url('gateway')}/", many.name(0))
            up = time.monotonic() - begin
            memory = [processes.memory(p.pid) for p in processes.of_this_process() if p.sidecar]
            idle = _idle()
            return Sample(workloads, replicas, up, _live(mesh, workloads), memory, idle)


def _live(mesh: Mesh, workloads: int) -> list[float]:
    """Seconds of each ``apply``; raises LoadError when the last rule is not what is answered."""
    texts = (many.rule(1), many.rule(2))
    mesh.apply([Source(STDIN, texts[1])])
    live = [mesh.apply([Source(STDIN, texts[turn % 2])]).seconds for turn in range(SWITCHES)]
    asker = many.name(workloads - 1)
    answer = mesh.curl(asker, f"http://{many.name(0)}/").body.decode()
    if not answer.startswith(many.name(2)):
        raise LoadError(f"{asker} asked for {many.name(0)} and reached {answer!r}, not app 2")
    return live


def _idle() -> dict[str, float]:
    """Processor seconds a second while nobody asks anything."""
    envoys = [p.pid for p in processes.of_this_process() if p.sidecar]
    time.sleep(0.5)  # the start's last work: spans, first probes
    before, own = _used(envoys), time.process_time()
    time.sleep(IDLE_SECONDS)
    return {
        "envoys": (_used(envoys) - before) / IDLE_SECONDS,
        "mesh": (time.process_time() - own) / IDLE_SECONDS,
    }


def _used(pids: Iterable[int]) -> float:
    return sum(processes.cpu_seconds(pid) for pid in pids)


def _figures(sample: Sample) -> list[Figure]:
    def target(limit: float) -> Target | None:
        aimed = (sample.workloads, sample.replicas) == TARGETS_OF
        return at_most(limit) if aimed else None

    size = sample.title
    note = f"{SWITCHES} switches on every sidecar"
    memory = statistics.mean(sample.memory) / _MIB
    live = [statistics.median(sample.live) * 1000, percentile(sample.live, 99) * 1000]
    idle = {who: share * 100 for who, share in sample.idle.items()}
    return [
        Figure(f"{size}: up to first answer", sample.up, "s", target(20), "once"),
        Figure(f"{size}: apply to live, p50", live[0], "ms", None, note),
        Figure(f"{size}: apply to live, p99", live[1], "ms", target(100), note),
        Figure(f"{size}: memory a sidecar", memory, "MiB", target(16), "mean PSS, at rest"),
        Figure(f"{size}: idle, all sidecars", idle["envoys"], "% of a core"),
        Figure(f"{size}: idle, the mesh's own process", idle["mesh"], "% of a core"),
    ]
