"""Who called whom, how often and how fast, from the metrics of requests. Pure.

The caller's count is used (``reporter="source"``): it names the destination's workload even where
nobody answered, and for calls of the gateway there is no other.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from meshproof.istio_names import BLACK_HOLE_CLUSTER
from meshproof.telemetry.prometheus import iter_samples, parse_labels

_REQUESTS = "istio_requests_total"
_BUCKET = "istio_request_duration_milliseconds_bucket"
_BOUND = ',le="'
_ERROR = 500


class Edge(NamedTuple):
    """One workload that calls another."""

    source: str
    """``namespace/workload``."""
    target: str
    """The same; empty where the target is not a workload of the mesh."""
    version: str
    """The target's."""
    service: str
    """``destination_service``: the host that was called; empty where no rule knows it."""

    @property
    def closed(self) -> bool:
        """No rule lets the call out: no service is named, or Istio's BlackHoleCluster."""
        return self.service in ("", BLACK_HOLE_CLUSTER)


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
    reading: dict[tuple[str, Edge], TrafficCounts] = {}
    for name, labels, value in iter_samples(text, (_REQUESTS, _BUCKET)):
        before, _, rest = labels.partition(_BOUND)
        bound, _, after = rest.partition('"')
        series = _parse_series(before + after)
        if series is None:
            continue
        counts = reading.setdefault((series.pod, series.edge), TrafficCounts())
        if name == _BUCKET:
            upper = float(bound)
            counts.buckets[upper] = counts.buckets.get(upper, 0) + float(value)
        else:
            counts.requests += float(value)
            counts.failed += float(value) if series.failed else 0
    return reading


class _Series(NamedTuple):
    pod: str
    edge: Edge
    failed: bool


@functools.lru_cache(maxsize=8192)
def _parse_series(text: str) -> _Series | None:
    """The labels of a sample, without a bucket's bound; None for the callee's own count. They are
    the same every second, so they are parsed once."""
    labels = parse_labels(text)
    if labels.get("reporter") != "source":
        return None
    code = labels.get("response_code", "0")
    failed = not code.isdigit() or int(code) >= _ERROR or int(code) == 0
    return _Series(labels.get("pod", ""), _edge(labels), failed)


def _edge(labels: Mapping[str, str]) -> Edge:
    def label(name: str) -> str:
        value = labels.get(name, "")
        return "" if value in ("unknown", "-") else value

    workload = label("destination_workload")
    target = f"{label('destination_workload_namespace')}/{workload}" if workload else ""
    source = f"{label('source_workload_namespace')}/{label('source_workload')}"
    return Edge(source, target, label("destination_version"), label("destination_service"))


def between(old: Reading, new: Reading) -> dict[Edge, TrafficCounts]:
    """What was counted from one reading to the next, all pods together."""
    difference: dict[Edge, TrafficCounts] = {}
    for (pod, edge), now in new.items():
        before = old.get((pod, edge), TrafficCounts())
        if now.requests < before.requests:
            before = TrafficCounts()  # its proxy has restarted
        difference.setdefault(edge, TrafficCounts()).add(
            TrafficCounts(
                now.requests - before.requests,
                max(0, now.failed - before.failed),
                {b: n - before.buckets.get(b, 0) for b, n in now.buckets.items()},
            )
        )
    return difference


def serving(reading: Reading) -> dict[str, list[str]]:
    """Service -> the workloads that have answered for it: what can be told of a mesh that does not
    know its topology (``mesh.Topology.serving``)."""
    workloads: dict[str, set[str]] = {}
    for _pod, edge in reading:
        if edge.target:
            workloads.setdefault(edge.service, set()).add(edge.target.partition("/")[2])
    return {service: sorted(names) for service, names in workloads.items()}


def sum_counts(counts: Iterable[TrafficCounts]) -> TrafficCounts:
    total = TrafficCounts()
    for one in counts:
        total.add(one)
    return total
