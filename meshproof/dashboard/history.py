"""What the page draws over time: readings of the last seconds, points of the last minutes. Pure,
and bounded to 15 minutes."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any

from meshproof.dashboard.graph import GATEWAY
from meshproof.telemetry.traffic_counts import Edge, Reading, TrafficCounts, between, sum_counts

Json = dict[str, Any]
WINDOW = 10.0
"""Seconds over which rates, durations and measured shares are computed."""
SMOOTH = 3.0
"""The same for one point of a curve."""
CAPACITY = 900
"""Points kept."""


class History:
    """Takes about one reading a second."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._readings: collections.deque[tuple[float, Reading]] = collections.deque()
        self.points: collections.deque[Json] = collections.deque(maxlen=capacity)

    def add(self, at: float, reading: Reading, serving: Mapping[str, list[str]]) -> None:
        """``at`` in Unix seconds, increasing. ``serving``: see ``mesh.Topology``."""
        self._readings.append((at, reading))
        while len(self._readings) > 2 and self._readings[1][0] <= at - WINDOW:
            self._readings.popleft()
        if len(self._readings) > 1:
            self.points.append(self._point(serving))

    def window(self, seconds: float = WINDOW) -> tuple[dict[Edge, TrafficCounts], float]:
        """Counts of the last ``seconds``, or of fewer at the start, and how many they are."""
        if len(self._readings) < 2:
            return {}, 0.0
        at, newest = self._readings[-1]
        start, oldest = self._readings[0]
        for time, reading in list(self._readings)[1:-1]:
            if time <= at - seconds:
                start, oldest = time, reading
        return between(oldest, newest), at - start

    def totals(self) -> dict[Edge, TrafficCounts]:
        """Counts since the start of the proxies."""
        return between({}, self._readings[-1][1]) if self._readings else {}

    def record_configured(self, edges: list[Json]) -> None:
        """Add the configured shares to the newest point: service -> version -> percent."""
        if self.points:
            configured: dict[str, dict[str, float]] = {}
            for edge in edges:
                if edge["set"] is not None:
                    configured.setdefault(edge["service"], {})[edge["version"]] = edge["set"]
            self.points[-1]["set"] = configured

    def _point(self, serving: Mapping[str, list[str]]) -> Json:
        counts, seconds = self.window(SMOOTH)
        entry = sum_counts(c for edge, c in counts.items() if edge.source == GATEWAY)
        return {
            "at": self._readings[-1][0],
            "rate": entry.requests / seconds,
            "failed": entry.failed / seconds,
            "p50": entry.quantile(0.5),
            "p99": entry.quantile(0.99),
            "split": split(counts, serving),
        }


def split(
    counts: Mapping[Edge, TrafficCounts], serving: Mapping[str, list[str]]
) -> dict[str, dict[str, float]]:
    """Service with several workloads -> version -> requests; only of services with requests."""
    split_by_service: dict[str, dict[str, float]] = {}
    for edge, count in counts.items():
        if edge.target and len(serving.get(edge.service, ())) > 1:
            name = edge.version or edge.target.partition("/")[2]
            versions = split_by_service.setdefault(edge.service, {})
            versions[name] = versions.get(name, 0) + count.requests
    return {s: versions for s, versions in split_by_service.items() if sum(versions.values())}
