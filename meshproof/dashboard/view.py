"""Everything that the page shows, as one JSON object. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from meshproof.dashboard.graph import GATEWAY, build_graph
from meshproof.dashboard.history import History
from meshproof.telemetry.traffic_counts import Edge, TrafficCounts, sum_counts

Json = dict[str, Any]
EVENTS = 60
"""How many changes are shown, the newest first."""


def build_view(
    status: Json, topology: Json, history: History, rows: Sequence[Json], events: Sequence[Json]
) -> Json:
    """``status`` and ``topology`` as the control socket gives them, ``rows`` from ``replicas``,
    ``events`` oldest first."""
    window, seconds = history.window()
    graph = build_graph(window, history.totals(), seconds, status["replicas"], topology)
    history.record_configured(graph["edges"])
    return {
        "mesh": {key: status[key] for key in ("name", "kind", "version")},
        "state": "live",
        "message": "",
        "graph": graph,
        "point": history.points[-1] if history.points else None,
        "replicas": list(rows),
        "rules": _rules(status["resources"]),
        "events": [_event(event) for event in reversed(events[-EVENTS:])],
        "traffic": any(count.requests for count in history.totals().values()),
        "entry": _entry(window, seconds),
    }


def _entry(window: Mapping[Edge, TrafficCounts], seconds: float) -> Json:
    """The traffic of the gateway."""
    counts = sum_counts(count for edge, count in window.items() if edge.source == GATEWAY)
    return {
        "rate": counts.requests / seconds if seconds else 0.0,
        "failed": 100 * counts.failed / counts.requests if counts.requests else 0.0,
        "p50": counts.quantile(0.5),
        "p99": counts.quantile(0.99),
    }


def not_running_view(name: str, message: str, events: Sequence[Json]) -> Json:
    """What is shown while no mesh of that name answers."""
    newest = [_event(event) for event in reversed(events[-EVENTS:])]
    return {"mesh": {"name": name}, "state": "gone", "message": message, "events": newest}


_NOT_RULES = frozenset(
    {
        *("Namespace", "ServiceAccount", "Service", "Deployment", "StatefulSet", "DaemonSet"),
        *("Pod", "ConfigMap", "Secret", "HorizontalPodAutoscaler"),
    }
)


def _rules(resources: Sequence[str]) -> list[str]:
    """``VirtualService payments/svcb``: what is applied besides the workloads."""
    return [title for title in resources if title.partition(" ")[0] not in _NOT_RULES]


def _event(event: Json) -> Json:
    """Without the single acknowledgements; the slowest sidecar is named."""
    acks = event["acks"]
    slowest = max(acks, key=lambda ack: float(ack["seconds"]), default=None)
    rest = {key: value for key, value in event.items() if key != "acks"}
    return {**rest, "live": event["at"] + event["seconds"], "slowest": slowest}


def json_safe(value: Any) -> Any:
    """JSON has neither infinity nor NaN: such a number becomes None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: json_safe(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(one) for one in value]
    return value
