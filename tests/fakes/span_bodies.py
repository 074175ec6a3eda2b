"""Spans for the tests of the store: a payment as the sidecars report it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from meshproof.mesh import Span
from meshproof.telemetry.zipkin_proto import _KINDS, _ListOfSpans

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


def envoy_body(spans: Sequence[Span]) -> bytes:
    """What an Envoy of this machine posts: protobuf, with ids in the machine's byte order."""
    message = _ListOfSpans()
    for span in spans:
        message.spans.add(
            trace_id=bytes.fromhex(span.trace_id),
            id=_id_bytes(span.span_id),
            parent_id=_id_bytes(span.parent_id),
            kind=_KINDS.index(span.kind),
            name=span.name,
            timestamp=round(span.start * 1e6),
            duration=round(span.duration * 1e6),
            local_endpoint={"service_name": span.service},
            tags=dict(span.tags),
        )
    body: bytes = message.SerializeToString()
    return body


def _id_bytes(text: str) -> bytes:
    return int(text, 16).to_bytes(8, sys.byteorder) if text else b""
