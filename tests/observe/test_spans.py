"""The span store gives back a run's spans and counts what it had to drop."""

from __future__ import annotations

import json

from meshproof.observe import zipkin_proto
from meshproof.observe.spans import SpanStore


def body(run_id: str, trace: str) -> bytes:
    return json.dumps(
        [
            {
                "traceId": trace,
                "id": "0000000000000002",
                "parentId": "0000000000000001",
                "kind": "CLIENT",
                "name": "svcb:80/*",
                "timestamp": 2_000_000,
                "duration": 1500,
                "localEndpoint": {"serviceName": "svca.payments"},
                "tags": {"run_id": run_id, "response_flags": "-"},
            }
        ]
    ).encode()


def test_only_the_spans_of_the_run_come_back_in_seconds() -> None:
    store = SpanStore()
    store.add(body("run-1", "a"))
    store.add(body("run-10", "b"))
    (span,) = store.of_run("run-1")
    assert (span.trace_id, span.parent_id, span.service) == (
        "a",
        "0000000000000001",
        "svca.payments",
    )
    assert (span.start, span.duration) == (2.0, 0.0015)


def test_a_full_store_drops_the_oldest_and_says_so() -> None:
    one = body("run-1", "a")
    store = SpanStore(limit=2 * len(one))
    for trace in ("a", "b", "c"):
        store.add(body("run-1", trace))
    assert [s.trace_id for s in store.of_run("run-1")] == ["b", "c"]
    assert (store.reports, store.dropped) == (3, 1)


def test_protobuf_and_json_say_the_same() -> None:
    store = SpanStore()
    store.add(body("run-1", "0af7651916cd43dd8448eb211c80319c"))
    (span,) = store.of_run("run-1")
    store.add(zipkin_proto.write([span]), "application/x-protobuf")
    assert store.of_run("run-1") == [span, span]
