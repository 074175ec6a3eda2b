"""Spans for the tests of the store: a payment as the sidecars report it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshproof.mesh import Span

BEGIN = 1_795_000_000.0
NOW = int((BEGIN + 60) * 1000)
"""A minute after the spans, in milliseconds."""


def payment(
    number: int = 1, *, run: str = "run-1", failed: bool = False, at: float = BEGIN
) -> list[Span]:
    """gateway -> svca -> svcb -> msgd.test, each side of a hop by its own sidecar."""
    trace = f"{number:032x}"

    def span(id_: int, parent: int, kind: str, app: str, cluster: str, **tags: str) -> Span:
        return Span(
            trace_id=trace,
            span_id=f"{number:08x}{id_:08x}",
            parent_id=f"{number:08x}{parent:08x}" if parent else "",
            kind=kind,
            service=app,
            name=f"{cluster.rpartition('|')[2] or app}:80/*",
            start=at + id_ / 1000,
            duration=(10 - id_) / 1000,
            tags={"run_id": run, "upstream_cluster": cluster, **tags},
        )

    wrong: Mapping[str, str] = {"error": "true", "http.status_code": "503"} if failed else {}
    svca, svcb = (f"outbound|80||{name}.payments.svc.cluster.local" for name in ("svca", "svcb"))
    return [
        span(1, 0, "CLIENT", "gateway.istio-system", svca),
        span(2, 1, "SERVER", "svca.payments", "inbound|8080||"),
        span(3, 2, "CLIENT", "svca.payments", svcb),
        span(4, 3, "SERVER", "svcb.payments", "inbound|8080||"),
        span(5, 4, "CLIENT", "svcb.payments", "outbound|9997||msgd.test", **wrong),
    ]


def by_hand(**fields: Any) -> dict[str, Any]:
    """A span as a client of Zipkin's API sends it."""
    return {
        "traceId": "0000000000000abc",
        "id": "00000000000000d1",
        "name": "work",
        "timestamp": int(BEGIN * 1e6),
        "duration": 5000,
        "localEndpoint": {"serviceName": "shop"},
        **fields,
    }
