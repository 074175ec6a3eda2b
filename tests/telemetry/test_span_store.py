"""The span store gives back a run's spans, and says which runs it had to drop something of."""

from __future__ import annotations

import json

from meshproof.telemetry.span_store import SpanStore
from tests.fakes.span_bodies import envoy_body, payment

PROTOBUF = "application/x-protobuf"


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
    assert store.has_lost("run-1")


def test_what_is_dropped_is_held_against_its_own_run_alone() -> None:
    first, second = envoy_body(payment(1, run="old--")), envoy_body(payment(2))
    store = SpanStore(limit=len(second))
    store.add(first, PROTOBUF)
    store.add(second, PROTOBUF)
    assert store.has_lost("old--")
    assert not store.has_lost("run-1")
    assert len(store.of_run("run-1")) == 5


def test_what_is_too_old_goes_when_something_new_comes() -> None:
    now = 0.0
    store = SpanStore(age=60, clock=lambda: now)
    store.add(body("old", "a"))
    now = 60.0
    store.add(body("run-1", "b"))
    assert not store.has_lost("old")
    now = 61.0
    store.add(body("run-1", "c"))
    assert store.has_lost("old")
    assert (store.dropped, store.counts().kept) == (1, 2)


def test_protobuf_and_json_say_the_same() -> None:
    store = SpanStore()
    store.add(body("run-1", "0af7651916cd43dd8448eb211c80319c"))
    (span,) = store.of_run("run-1")
    store.add(envoy_body([span]), PROTOBUF)
    assert store.of_run("run-1") == [span, span]
