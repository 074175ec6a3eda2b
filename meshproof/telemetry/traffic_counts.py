"""Who called whom and how it went, out of the requests' metrics. Pure.

The caller's count is taken (``reporter="source"``): it knows the destination's workload also where
nobody answered, and the gateway has no other.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_REQUESTS = "istio_requests_total"
_BUCKET = "istio_request_duration_milliseconds_bucket"
_NAMES = (_REQUESTS, _BUCKET)
_BOUND = ',le="'
_SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_FAILED = 500


class Edge(NamedTuple):
    """A way that requests took, workload to workload."""

    source: str
    """``namespace/workload``."""
    target: str
    """The same; empty for what is no workload of the mesh."""
    version: str
    """The target's."""
    service: str
    """``destination_service``: what was asked for; empty where no rule knows it."""

    @property
    def closed(self) -> bool:
        """No rule lets it out: nothing is named, or Istio's own cluster for that."""
        return self.service in ("", "BlackHoleCluster")


@dataclass(slots=True)
class TrafficCounts:
    """Since the proxy's start, or between two readings."""

    requests: float = 0
    failed: float = 0
    """Answers of 500 and above, and requests without one."""
    buckets: dict[float, float] = field(default_factory=dict)
    """Upper bound in milliseconds -> requests that took no longer."""

    def add(self, other: TrafficCounts) -> None:
        self.requests += other.requests
        self.failed += other.failed
        for bound, count in other.buckets.items():
            self.buckets[bound] = self.buckets.get(bound, 0) + count

    def quantile(self, q: float) -> float | None:
        """Milliseconds that a share ``q`` of the requests did not exceed; None without requests.

        Linear inside a bucket, as Prometheus's histogram_quantile; at most the last finite bound.
        """
        bounds = sorted(self.buckets)
        total = self.buckets[bounds[-1]] if bounds else 0
        if not total:
            return None
        below, before = 0.0, 0.0
        for bound in bounds:
            count = self.buckets[bound]
            if count >= q * total and count > before:
                if bound == float("inf"):
                    return below
                return below + (bound - below) * (q * total - before) / (count - before)
            below, before = bound, count
        return below


Reading = Mapping[tuple[str, Edge], TrafficCounts]
"""Pod and edge -> what its proxy has counted: a proxy that restarts counts from 0 again."""


def read(text: str) -> Reading:
    """Prometheus text, as ``mesh.Mesh.metrics`` gives it."""
    found: dict[tuple[str, Edge], TrafficCounts] = {}
    for line in text.splitlines():
        sample = _SAMPLE.match(line) if line.startswith(_NAMES) else None
        if sample is None:
            continue
        before, _, rest = sample[2].partition(_BOUND)
        bound, _, after = rest.partition('"')
        series = _series(before + after)
        if series is None:
            continue
        counts = found.setdefault((series.pod, series.edge), TrafficCounts())
        value = float(sample[3])
        if sample[1] == _BUCKET:
            at = float(bound)
            counts.buckets[at] = counts.buckets.get(at, 0) + value
        else:
            counts.requests += value
            counts.failed += value if series.failed else 0
    return found


class _Series(NamedTuple):
    pod: str
    edge: Edge
    failed: bool


@functools.lru_cache(maxsize=8192)
def _series(text: str) -> _Series | None:
    """What the labels of a sample say, all but a bucket's bound; None for the callee's own count.
    They are the same each second, so they are read once."""
    labels = dict(_LABEL.findall(text))
    if labels.get("reporter") != "source":
        return None
    code = labels.get("response_code", "0")
    failed = not code.isdigit() or int(code) >= _FAILED or int(code) == 0
    return _Series(labels.get("pod", ""), _edge(labels), failed)


def _edge(labels: Mapping[str, str]) -> Edge:
    def known(name: str) -> str:
        value = labels.get(name, "")
        return "" if value in ("unknown", "-") else value

    workload = known("destination_workload")
    target = f"{known('destination_workload_namespace')}/{workload}" if workload else ""
    source = f"{known('source_workload_namespace')}/{known('source_workload')}"
    return Edge(source, target, known("destination_version"), known("destination_service"))


def between(old: Reading, new: Reading) -> dict[Edge, TrafficCounts]:
    """What was counted from one reading to the next, all pods together."""
    found: dict[Edge, TrafficCounts] = {}
    for (pod, edge), now in new.items():
        before = old.get((pod, edge), TrafficCounts())
        if now.requests < before.requests:
            before = TrafficCounts()  # its proxy has started again
        found.setdefault(edge, TrafficCounts()).add(
            TrafficCounts(
                now.requests - before.requests,
                max(0, now.failed - before.failed),
                {b: n - before.buckets.get(b, 0) for b, n in now.buckets.items()},
            )
        )
    return found


def serving(reading: Reading) -> dict[str, list[str]]:
    """Service -> the workloads that were seen to answer for it: what a mesh that does not know its
    topology can still tell (``mesh.Topology.serving``)."""
    found: dict[str, set[str]] = {}
    for _pod, edge in reading:
        if edge.target:
            found.setdefault(edge.service, set()).add(edge.target.partition("/")[2])
    return {service: sorted(workloads) for service, workloads in found.items()}


def sum_counts(counts: Iterable[TrafficCounts]) -> TrafficCounts:
    """The sum."""
    total = TrafficCounts()
    for one in counts:
        total.add(one)
    return total
