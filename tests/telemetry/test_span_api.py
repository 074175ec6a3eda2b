"""Zipkin's API: what is sent is found again, by every field that a search has."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from meshproof.mesh import Span
from meshproof.telemetry import zipkin_proto
from meshproof.telemetry.span_api import application
from meshproof.telemetry.span_store import SpanStore
from tests.fakes.span_bodies import BEGIN, NOW, by_hand, envoy_body, payment

Client = TestClient[Any, Any]
GATEWAY, MSGD = "gateway.istio-system", "msgd.test"


@asynccontextmanager
async def client(store: SpanStore) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application(store))) as find:
        yield find


def ask(store: SpanStore, path: str, status: int = 200, **query: Any) -> Any:
    """The answer to one question."""

    async def ask() -> Any:
        async with client(store) as api:
            answer = await api.get(path, params={k: str(v) for k, v in query.items()})
            text = await answer.text()
            assert answer.status == status, text
            return await answer.json() if status == 200 else text

    return asyncio.run(ask())


def send(store: SpanStore, action: Callable[[Client], Awaitable[Any]]) -> tuple[int, str]:
    async def sent() -> tuple[int, str]:
        async with client(store) as api:
            answer = await action(api)
            return answer.status, await answer.text()

    return asyncio.run(sent())


def stored(*traces: list[Span]) -> SpanStore:
    store = SpanStore()
    for spans in traces:
        store.add(envoy_body(spans), "application/x-protobuf")
    return store


@pytest.fixture
def three() -> SpanStore:
    """A payment a second; the second one failed at msgd."""
    return stored(
        payment(1), payment(2, failed=True, at=BEGIN + 1), payment(3, run="run-2", at=BEGIN + 2)
    )


def find(store: SpanStore, **query: Any) -> list[int]:
    """Which of the payments a search brings, in its order."""
    traces = ask(store, "/api/v2/traces", endTs=NOW, **query)
    return [int(spans[0]["traceId"], 16) for spans in traces]


def test_a_trace_comes_whole_and_in_order(three: SpanStore) -> None:
    spans = ask(three, f"/api/v2/trace/{2:032x}")
    assert [s["localEndpoint"]["serviceName"] for s in spans] == [
        s.service for s in payment(2, failed=True)
    ]
    assert spans[1]["parentId"] == spans[0]["id"] == "0000000200000001"
    assert spans[4]["tags"]["error"] == "true"
    assert spans[0]["timestamp"] == int((BEGIN + 1) * 1e6) + 1000


def test_a_trace_that_is_not_there_is_404(three: SpanStore) -> None:
    assert "no trace" in ask(three, "/api/v2/trace/ff", status=404)


def test_several_traces_at_once(three: SpanStore) -> None:
    traces = ask(three, "/api/v2/traceMany", traceIds=f"{1:032x},{3:032x},ff")
    assert [len(spans) for spans in traces] == [5, 5]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 2, 1]),
        ({"limit": 2}, [3, 2]),
        ({"serviceName": "svcb.payments"}, [3, 2, 1]),
        ({"serviceName": "nobody"}, []),
        ({"serviceName": "all"}, [3, 2, 1]),
        ({"serviceName": "svcb.payments", "spanName": "msgd.test:80/*"}, [3, 2, 1]),
        ({"serviceName": "svca.payments", "spanName": "msgd.test:80/*"}, []),
        ({"serviceName": "svcb.payments", "remoteServiceName": MSGD}, [3, 2, 1]),
        ({"serviceName": "svca.payments", "remoteServiceName": MSGD}, []),
        ({"annotationQuery": "error"}, [2]),
        ({"annotationQuery": "error=true and http.status_code=503"}, [2]),
        ({"annotationQuery": "error=false"}, []),
        ({"annotationQuery": "run_id=run-2"}, [3]),
        ({"annotationQuery": "error and run_id=run-2"}, []),
        ({"annotationQuery": "error", "serviceName": "svcb.payments"}, [2]),
        ({"annotationQuery": "error", "serviceName": "svca.payments"}, []),
        ({"minDuration": 9000}, [3, 2, 1]),
        ({"minDuration": 9001}, []),
        ({"minDuration": 6000, "maxDuration": 6500, "serviceName": "svcb.payments"}, [3, 2, 1]),
        ({"maxDuration": 6500, "serviceName": GATEWAY}, []),
        ({"endTs": int((BEGIN + 1.5) * 1000)}, [2, 1]),
        ({"endTs": int((BEGIN + 1.5) * 1000), "lookback": 1000}, [2]),
    ],
)
def test_a_search_finds_what_fits_and_nothing_else(
    three: SpanStore, query: dict[str, Any], expected: list[int]
) -> None:
    traces = ask(three, "/api/v2/traces", **{"endTs": NOW, **query})
    assert [int(spans[0]["traceId"], 16) for spans in traces] == expected


def test_names_for_the_fields_of_a_search(three: SpanStore) -> None:
    services = ["gateway.istio-system", "svca.payments", "svcb.payments"]
    assert ask(three, "/api/v2/services") == services
    assert ask(three, "/api/v2/spans", serviceName="SVCB.payments") == [
        "msgd.test:80/*",
        "svcb.payments:80/*",
    ]
    assert ask(three, "/api/v2/remoteServices", serviceName="svcb.payments") == [MSGD]


def test_dependencies_count_each_call_once_and_its_failure(three: SpanStore) -> None:
    assert ask(three, "/api/v2/dependencies", endTs=NOW) == [
        {"parent": GATEWAY, "child": "svca.payments", "callCount": 3},
        {"parent": "svca.payments", "child": "svcb.payments", "callCount": 3},
        {"parent": "svcb.payments", "child": MSGD, "callCount": 3, "errorCount": 1},
    ]
    early = ask(three, "/api/v2/dependencies", endTs=int((BEGIN + 0.5) * 1000), lookback=1000)
    assert [link["callCount"] for link in early] == [1, 1, 1]


def test_a_trace_in_two_reports_grows_and_shrinks_with_them() -> None:
    spans = payment(1)
    store = stored(spans[:2], spans[2:])
    assert len(ask(store, f"/api/v2/trace/{1:032x}")) == 5
    size = store.counts().kept_bytes
    store._limit = size
    store.add(envoy_body(payment(2)), "application/x-protobuf")
    assert len(ask(store, f"/api/v2/trace/{1:032x}", status=404)) > 0
    assert ask(store, "/api/v2/services") == [
        "gateway.istio-system",
        "svca.payments",
        "svcb.payments",
    ]


def test_what_came_after_a_question_is_in_the_next_answer() -> None:
    store = stored(payment(1))
    assert find(store) == [1]
    store.add(envoy_body(payment(2)), "application/x-protobuf")
    assert sorted(find(store)) == [1, 2]


def test_json_of_others_is_kept_whole() -> None:
    sent = by_hand(
        parentId="D0", kind="CLIENT", remoteEndpoint={"serviceName": "stock", "port": 80},
        annotations=[{"timestamp": 1, "value": "retry"}], tags={"größe": "groß"},
    )  # fmt: skip
    store = SpanStore()
    assert send(store, lambda api: api.post("/api/v2/spans", json=[sent]))[0] == 202
    assert ask(store, "/api/v2/trace/abc") == [[{**sent, "parentId": "00000000000000d0"}][0]]
    for query in ("retry", "größe", "größe=groß"):
        assert len(ask(store, "/api/v2/traces", endTs=NOW, annotationQuery=query)) == 1
    assert ask(store, "/api/v2/remoteServices", serviceName="shop") == ["stock"]


def test_protobuf_of_others_has_its_ids_the_right_way_round() -> None:
    message = zipkin_proto._ListOfSpans()
    message.spans.add(trace_id=bytes(15) + b"\1", id=bytes(7) + b"\2", name="n")
    data = message.SerializeToString()
    store = SpanStore()
    kind = {"Content-Type": "application/x-protobuf"}
    assert send(store, lambda api: api.post("/api/v2/spans", data=data, headers=kind))[0] == 202
    (span,) = ask(store, "/api/v2/trace/" + "1".zfill(32))
    assert span["id"] == "0000000000000002"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body is not JSON"),
        (b"{}", r"the body is {}; wanted a list of spans"),
        (b"[1]", "[0] is 1; wanted a span"),
        (b'[{"traceId": "zz", "id": "1"}]', '[0].traceId is "zz"; wanted hexadecimal digits'),
        (b'[{"traceId": "1"}]', "[0].id is null"),
        (b'[{"traceId": "1", "id": "1", "kind": "X"}]', '[0].kind is "X"; wanted one of CLIENT'),
        (b'[{"traceId": "1", "id": "1", "timestamp": "1"}]', '[0].timestamp is "1"; wanted micro'),
        (b'[{"traceId": "1", "id": "1", "tags": {"a": 1}}]', '[0].tags is {"a": 1}; wanted'),
        (b'[{"traceId": "1", "id": "1", "localEndpoint": 5}]', "[0].localEndpoint is 5; wanted"),
    ],
)
def test_what_are_no_spans_is_refused_by_place_and_not_kept(body: bytes, message: str) -> None:
    store = SpanStore()
    kind = {"Content-Type": "application/json"}
    status, text = send(store, lambda api: api.post("/api/v2/spans", data=body, headers=kind))
    assert status == 400
    assert message in text
    assert store.reports == 0


def test_protobuf_that_is_none_is_refused() -> None:
    kind = {"Content-Type": "application/x-protobuf"}
    for data in (b"\xff", zipkin_proto._ListOfSpans(spans=[{"name": "n"}]).SerializeToString()):
        post = functools.partial(TestClient.post, path="/api/v2/spans", data=data, headers=kind)
        assert send(SpanStore(), post)[0] == 400


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        ("traces", {"limit": "many"}, "limit is 'many'; wanted a number"),
        ("traces", {"annotationQuery": "=x"}, "annotationQuery has the term '=x'"),
        ("spans", {}, "serviceName is missing"),
        ("dependencies", {}, "endTs is missing"),
        ("traceMany", {}, "traceIds has 0 ids"),
        ("trace/x!", {}, "the trace id is 'x!'"),
    ],
)
def test_a_bad_question_is_refused_by_name(path: str, query: dict[str, Any], message: str) -> None:
    assert message in ask(SpanStore(), f"/api/v2/{path}", status=400, **query)


def test_health_says_what_was_dropped() -> None:
    store = SpanStore(limit=1)
    store.add(b"[]")
    store.add(b"[]")
    message = ask(store, "/health")
    assert message == {
        "status": "UP",
        "details": {"reports": 2, "dropped": 2, "kept": 0, "keptBytes": 0},
    }


def test_a_page_of_another_site_gets_and_sends_nothing() -> None:
    store = SpanStore()
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        get = functools.partial(TestClient.get, path="/health", headers=headers)
        assert send(store, get)[0] == 403
    plain = {"Content-Type": "text/plain"}  # what a page may send without asking first
    status, _ = send(store, lambda api: api.post("/api/v2/spans", data=b"[]", headers=plain))
    assert status == 415
    assert store.reports == 0
