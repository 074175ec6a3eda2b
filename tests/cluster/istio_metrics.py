"""Istio's standard metrics: the names and labels that a query can rely on, on both meshes.

The embedded mesh writes the first four and the byte counters (``translate.metrics``), with Istio's
labels as far as it knows them; Istio's own page of standard metrics has them all.
"""

from __future__ import annotations

METRICS: dict[str, str] = {
    "istio_requests_total": "counter",
    "istio_request_duration_milliseconds": "histogram",
    "istio_request_bytes": "histogram",
    "istio_response_bytes": "histogram",
    "istio_tcp_sent_bytes_total": "counter",
    "istio_tcp_received_bytes_total": "counter",
    "istio_tcp_connections_opened_total": "counter",
    "istio_tcp_connections_closed_total": "counter",
}
"""Name -> type, as Prometheus says it."""

LABELS = frozenset(
    {
        "reporter",
        "source_workload",
        "source_workload_namespace",
        "source_principal",
        "source_app",
        "source_version",
        "source_cluster",
        "destination_workload",
        "destination_workload_namespace",
        "destination_principal",
        "destination_app",
        "destination_version",
        "destination_service",
        "destination_service_name",
        "destination_service_namespace",
        "destination_cluster",
        "request_protocol",
        "response_code",
        "response_flags",
        "grpc_response_status",
        "connection_security_policy",
    }
)


def samples() -> set[str]:
    """The names of their samples: a histogram has ``_bucket``, ``_sum`` and ``_count``."""
    names = {name for name, kind in METRICS.items() if kind == "counter"}
    for name, kind in METRICS.items():
        if kind == "histogram":
            names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")}
    return names
