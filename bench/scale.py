"""Start, convergence, memory and idle processor time with 10 to 1,000 replicas.

Ten workloads grow from one replica to ten. Workloads of one replica are the hardest shape and stand
apart: every sidecar knows every Service, so configuration grows with the square of their number.
How each figure grows from one such size to the next is printed as an exponent: 1 is in proportion
to the workloads. A shape that the machine's memory has no room for is left out, with a word.

The apps are bench's own (``bench.echo``): what is measured is the mesh, and not how long a
hundred Flask processes take to start on a few cores.
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from bench import many, processes, suite
from bench.figures import Figure, Part, Target, at_most, growth, percentile
from bench.load import LoadError, answered
from meshproof.errors import MeshproofError
from meshproof.mesh import STDIN, Mesh, Source

SHAPES = ((10, 1), (10, 5), (10, 10), (100, 1), (300, 1), (1000, 1))
"""Workloads, and replicas of each."""
TARGETS_OF = (10, 10)
LIVE_LIMITS = {(10, 10): 40.0, (100, 1): 60.0}
"""Milliseconds that a rule may take until it is live, in 99 of 100 cases."""
AS_OF = (100, 1)
"""The shape that larger ones of one replica are held against: a rule may take twice as long."""
SWITCHES = {300: 20, 1000: 10}
"""By workloads; 60 for fewer than these."""
IDLE_SECONDS = 4.0
_MIB, _GIB = 2**20, 2**30


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
    samples, missing = [], []
    for workloads, replicas in SHAPES:
        wanted, free = required_memory(workloads, replicas), psutil.virtual_memory().available
        if wanted > free:
            why = (
                f"left out: it needs about {wanted / _GIB:.0f} GiB, and {free / _GIB:.0f} are free"
            )
            missing.append(_missing(workloads, replicas, why))
            continue
        print(f"  {workloads} x {replicas} replicas", file=sys.stderr, flush=True)
        try:
            samples.append(_sample(workloads, replicas))
        except (MeshproofError, LoadError, psutil.Error) as error:
            missing.append(_missing(workloads, replicas, str(error).splitlines()[0]))
    figures = [figure for sample in samples for figure in _figures(sample)]
    single = [sample for sample in samples if sample.replicas == 1]
    beside = list(_beside_smaller(single))
    growths = [f for small, large in pairwise(single) for f in _growth(small, large)]
    parts = {s.title: s.as_dict() for s in samples}
    return Part("scale", [*figures, *missing, *beside, *growths], parts)


def _missing(workloads: int, replicas: int, why: str) -> Figure:
    return Figure(f"{workloads} x {replicas} replicas", math.nan, "", None, why)


def required_memory(workloads: int, replicas: int) -> float:
    """Bytes that a shape takes, roughly: an Envoy with its app, and what each sidecar knows of
    every workload (measured: 25 MiB a sidecar at 100 x 1, of which 8 are configuration)."""
    sidecars = workloads * replicas
    return sidecars * (20 + 0.1 * workloads) * _MIB


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
    count = _switches(workloads)
    live = [mesh.apply([Source(STDIN, texts[turn % 2])]).seconds for turn in range(count)]
    asker = many.name(workloads - 1)
    answer = mesh.curl(asker, f"http://{many.name(0)}/").body.decode()
    if not answer.startswith(many.name(2)):
        raise LoadError(f"{asker} asked for {many.name(0)} and reached {answer!r}, not app 2")
    return live


def _switches(workloads: int) -> int:
    return SWITCHES.get(workloads, 60)


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
    note = f"{len(sample.live)} switches on every sidecar"
    limit = LIVE_LIMITS.get((sample.workloads, sample.replicas))
    aim = None if limit is None else at_most(limit)
    memory = statistics.mean(sample.memory) / _MIB
    live = [statistics.median(sample.live) * 1000, percentile(sample.live, 99) * 1000]
    idle = {who: share * 100 for who, share in sample.idle.items()}
    return [
        Figure(f"{size}: up to first answer", sample.up, "s", target(20), "once"),
        Figure(f"{size}: apply to live, p50", live[0], "ms", None, note),
        Figure(f"{size}: apply to live, p99", live[1], "ms", aim, note),
        Figure(f"{size}: memory a sidecar", memory, "MiB", target(16), "mean PSS, at rest"),
        Figure(f"{size}: idle, all sidecars", idle["envoys"], "% of a core"),
        Figure(f"{size}: idle, the mesh's own process", idle["mesh"], "% of a core"),
    ]


def _beside_smaller(samples: Iterable[Sample]) -> Iterator[Figure]:
    """How much longer a rule takes until it is live than in the mesh of ``AS_OF``."""
    by_size = {(s.workloads, s.replicas): percentile(s.live, 99) for s in samples}
    first = by_size.get(AS_OF)
    for (workloads, replicas), p99 in by_size.items():
        if first is not None and workloads > AS_OF[0]:
            size = f"{workloads} x {replicas} replicas"
            base = f"{AS_OF[0]} x {AS_OF[1]}"
            yield Figure(f"{size}: apply to live, p99, {base} = 1", p99 / first, "", at_most(2.0))


def _growth(small: Sample, large: Sample) -> list[Figure]:
    """From one number of workloads to the next."""
    costs = {
        "up to first answer": (small.up, large.up),
        "apply to live, p50": (statistics.median(small.live), statistics.median(large.live)),
        "memory of all sidecars": (sum(small.memory), sum(large.memory)),
    }
    sizes = small.workloads, large.workloads
    return [
        Figure(
            f"growth from {sizes[0]} to {sizes[1]} workloads: {what}",
            growth((sizes[0], before), (sizes[1], after)),
            "",
            None,
            "exponent",
        )
        for what, (before, after) in costs.items()
    ]
