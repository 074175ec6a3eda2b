"""Copies arrive at another collector whole; a collector that fails costs copies alone."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from meshproof.errors import UsageError
from meshproof.telemetry import span_settings
from meshproof.telemetry.span_api import application
from meshproof.telemetry.span_forwarder import SpanForwarder, SpanReceiver
from meshproof.telemetry.span_store import SpanStore
from tests.fakes.span_bodies import by_hand, envoy_body, payment


async def until(check: Any) -> None:
    async with asyncio.timeout(300):
        while not check():
            await asyncio.sleep(0.005)


def copied(environ: str, path: str) -> SpanStore:
    """Another store that got a report of an Envoy and one by hand from ours."""
    theirs, ours = SpanStore(), SpanStore()

    async def send() -> None:
        async with TestServer(application(theirs)) as server:
            settings = span_settings.read({environ: f"http://127.0.0.1:{server.port}{path}"})
            ours.forwarders = [SpanForwarder(receiver) for receiver in settings.receivers]
            for forwarder in ours.forwarders:
                forwarder.start()
            ours.add(envoy_body(payment(1)), "application/x-protobuf")
            ours.add_spans([by_hand(traceId="a" * 32)])
            await until(lambda: ours.forwarders[0].sent == 2)
            await ours.forwarders[0].stop()

    asyncio.run(send())
    assert (ours.forwarders[0].lost, theirs.reports) == (0, 2)
    return theirs


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ("ZIPKIN_URL", ""),
        ("ZIPKIN_URL", "/api/v2/spans"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces"),
    ],
)
def test_copies_are_whole_and_their_ids_the_right_way_round(environ: str, path: str) -> None:
    theirs = copied(environ, path)
    result = asyncio.run(theirs.index(lambda index: index.trace(f"{1:032x}")))
    assert [(s["id"], s.get("parentId", "")) for s in result] == [
        (s.span_id, s.parent_id) for s in payment(1)
    ]
    assert [s["tags"]["upstream_cluster"] for s in result] == [
        s.tags["upstream_cluster"] for s in payment(1)
    ]
    assert len(asyncio.run(theirs.index(lambda index: index.trace("a" * 32)))) == 1


def test_a_collector_that_fails_costs_copies_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=503, text="full")

    async def send() -> SpanStore:
        app = web.Application()
        app.router.add_post("/api/v2/spans", refuse)
        async with TestServer(app) as server:
            store = SpanStore()
            receiver = SpanReceiver(
                f"http://127.0.0.1:{server.port}/api/v2/spans", lambda r: (r.body, "a/b")
            )
            store.forwarders = [SpanForwarder(receiver)]
            store.forwarders[0].start()
            for _ in range(2):
                store.add_spans([by_hand()])
            await until(lambda: store.forwarders[0].lost == 2)
            await store.forwarders[0].stop()
            return store

    with caplog.at_level(logging.WARNING):
        store = asyncio.run(send())
    assert (store.forwarders[0].sent, store.counts().kept, store.dropped) == (0, 2, 0)
    assert [r.getMessage() for r in caplog.records if "503: full" in r.getMessage()]
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ZIPKIN_URL", "localhost:9411", "wanted a URL"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://x", "wanted a URL"),
        ("MESHPROOF_SPANS_MIB", "0", "wanted a number above 0"),
        ("MESHPROOF_SPANS_MINUTES", "an hour", "wanted a number above 0"),
    ],
)
def test_bad_settings_are_refused_by_name(name: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=rf"{name} is '{value}'; {message}"):
        span_settings.read({name: value})


def test_settings() -> None:
    result = span_settings.read({"MESHPROOF_SPANS_MIB": "0.5", "MESHPROOF_SPANS_MINUTES": "2"})
    assert (result.limit, result.age, result.receivers) == (524288, 120, ())
