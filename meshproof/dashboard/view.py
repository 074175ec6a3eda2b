"""The whole page as one JSON object, out of what the mesh said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from meshproof.dashboard.graph import GATEWAY, graph
from meshproof.dashboard.history import History
from meshproof.telemetry.traffic_counts import Edge, TrafficCounts, sum_counts

Json = dict[str, Any]
EVENTS = 60
"""Changes shown, the newest first."""


def view(
    status: Json, topology: Json, history: History, rows: Sequence[Json], events: Sequence[Json]
) -> Json:
    """``status`` and ``topology`` as the control socket gives them; ``rows``: see ``replicas``;
    ``events`` oldest first."""
    window, seconds = history.window()
    drawn = graph(window, history.ever(), seconds, status["replicas"], topology)
    history.mark_set(drawn["edges"])
    return {
        "mesh": {key: status[key] for key in ("name", "kind", "version")},
        "state": "live",
        "message": "",
        "graph": drawn,
        "point": history.points[-1] if history.points else None,
        "replicas": list(rows),
        "rules": _rules(status["resources"]),
        "events": [_event(event) for event in reversed(events[-EVENTS:])],
        "traffic": any(count.requests for count in history.ever().values()),
        "entry": _entry(window, seconds),
    }


def _entry(window: Mapping[Edge, TrafficCounts], seconds: float) -> Json:
    """What came in through the gateway."""
    counts = sum_counts(count for edge, count in window.items() if edge.source == GATEWAY)
    return {
        "rate": counts.requests / seconds if seconds else 0.0,
        "failed": 100 * counts.failed / counts.requests if counts.requests else 0.0,
        "p50": counts.quantile(0.5),
        "p99": counts.quantile(0.99),
    }


def gone(name: str, message: str, events: Sequence[Json]) -> Json:
    """What is shown while no mesh of that name answers."""
    shown = [_event(event) for event in reversed(events[-EVENTS:])]
    return {"mesh": {"name": name}, "state": "gone", "message": message, "events": shown}


_NOT_RULES = frozenset(
    {
        *("Namespace", "ServiceAccount", "Service", "Deployment", "StatefulSet", "DaemonSet"),
        *("Pod", "ConfigMap", "Secret", "HorizontalPodAutoscaler"),
    }
)


def _rules(resources: Sequence[str]) -> list[str]:
    """``VirtualService payments/svcb``: what is applied beside the workloads themselves."""
    return [title for title in resources if title.partition(" ")[0] not in _NOT_RULES]


def _event(event: Json) -> Json:
    """Without every single acknowledgement; the slowest sidecar is named."""
    acks = event["acks"]
    slowest = max(acks, key=lambda ack: float(ack["seconds"]), default=None)
    shown = {key: value for key, value in event.items() if key != "acks"}
    return {**shown, "live": event["at"] + event["seconds"], "slowest": slowest}


def finite(value: Any) -> Any:
    """JSON has no infinity: such a number becomes None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return value
