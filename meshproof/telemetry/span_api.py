"""Zipkin's v2 API on the span store, for Zipkin's own page and other clients.

https://zipkin.io/zipkin-api/ (zipkin2-api.yaml). Times in parameters are milliseconds. Spans are
accepted as OTLP over HTTP as well, at ``/v1/traces``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from meshproof.telemetry.loopback_guard import local_only
from meshproof.telemetry.span_index import SpanIndex
from meshproof.telemetry.span_query import DAY, BadQueryError, Query, number
from meshproof.telemetry.span_store import SpanStore
from meshproof.telemetry.zipkin_json import BadSpansError, read
from meshproof.telemetry.zipkin_json import trace_id as normalize_trace_id

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
_BODY_LIMIT = 64 * 1024 * 1024
_MAX_IDS = 1000


def application(store: SpanStore) -> web.Application:
    """Serves ``store``. Bind it to a loopback address."""
    api = _Api(store)
    app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[local_only, _refusals])
    app.add_routes(
        [
            web.post("/api/v2/spans", api.post_spans),
            web.post("/v1/traces", api.post_otlp),
            web.get("/api/v2/trace/{id}", api.trace),
            web.get("/api/v2/traces", api.traces),
            web.get("/api/v2/traceMany", api.trace_many),
            web.get("/api/v2/services", api.services),
            web.get("/api/v2/spans", api.names),
            web.get("/api/v2/remoteServices", api.remotes),
            web.get("/api/v2/dependencies", api.dependencies),
            web.get("/api/v2/autocompleteKeys", api.empty_list),
            web.get("/api/v2/autocompleteValues", api.empty_list),
            web.get("/health", api.health),
        ]
    )
    return app


@web.middleware
async def _refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except (BadQueryError, BadSpansError) as refused:
        return web.Response(status=400, text=f"{request.path}: {refused}\n")
    return response


class _Api:
    def __init__(self, store: SpanStore) -> None:
        self._store = store

    async def post_spans(self, request: web.Request) -> web.Response:
        """Spans as JSON or protobuf; a body is accepted as a whole, or not at all."""
        body = await request.read()
        if request.content_type == PROTOBUF:
            from meshproof.telemetry.zipkin_proto import read_foreign  # noqa: PLC0415

            self._store.add_spans(read_foreign(body))
        elif request.content_type == JSON:
            self._store.add_spans(read(body))
        else:
            raise web.HTTPUnsupportedMediaType(text=_unsupported(request.content_type))
        return web.Response(status=202)

    async def post_otlp(self, request: web.Request) -> web.Response:
        """Spans of an OpenTelemetry SDK or collector, as JSON or protobuf."""
        from meshproof.telemetry import otlp  # noqa: PLC0415  # only if any arrive

        if request.content_type not in (JSON, PROTOBUF):
            raise web.HTTPUnsupportedMediaType(text=_unsupported(request.content_type))
        as_json = request.content_type == JSON
        self._store.add_spans(otlp.read(await request.read(), as_json=as_json))
        return web.Response(body=b"{}" if as_json else b"", content_type=request.content_type)

    async def trace(self, request: web.Request) -> web.Response:
        trace_id = _trace_id(request.match_info["id"])
        trace = await self._store.index(lambda index: index.trace(trace_id))
        if not trace:
            raise web.HTTPNotFound(text=f"no trace {trace_id}; it may have been dropped\n")
        return web.json_response(trace)

    async def trace_many(self, request: web.Request) -> web.Response:
        ids = [_trace_id(i) for i in request.query.get("traceIds", "").split(",") if i]
        if not ids or len(ids) > _MAX_IDS:
            raise BadQueryError(f"traceIds has {len(ids)} ids; wanted 1 to {_MAX_IDS}")
        return await self._answer(lambda index: [s for s in map(index.trace, ids) if s])

    async def traces(self, request: web.Request) -> web.Response:
        query = Query.of(request.query, _now())
        return await self._answer(lambda index: index.search(query))

    async def services(self, _request: web.Request) -> web.Response:
        return await self._answer(SpanIndex.services)

    async def names(self, request: web.Request) -> web.Response:
        service = _service(request)
        return await self._answer(lambda index: index.names(service))

    async def remotes(self, request: web.Request) -> web.Response:
        service = _service(request)
        return await self._answer(lambda index: index.remotes(service))

    async def dependencies(self, request: web.Request) -> web.Response:
        if "endTs" not in request.query:
            raise BadQueryError("endTs is missing; wanted milliseconds since 1970")
        end = number(request.query, "endTs", 0) * 1000
        back = number(request.query, "lookback", DAY) * 1000
        return await self._answer(lambda index: index.dependencies(end, back))

    async def empty_list(self, _request: web.Request) -> web.Response:
        """No tag has a search field of its own."""
        return web.json_response([])

    async def health(self, _request: web.Request) -> web.Response:
        """Includes how much was dropped: a search may miss that."""
        counts = self._store.counts()
        details = {
            "reports": counts.reports,
            "dropped": counts.dropped,
            "kept": counts.kept,
            "keptBytes": counts.kept_bytes,
        }
        return web.json_response({"status": "UP", "details": details})

    async def _answer(self, question: Callable[[SpanIndex], list[Any]]) -> web.Response:
        return web.json_response(await self._store.index(question))


def _unsupported(content_type: str) -> str:
    return f"the body is {content_type}; wanted {JSON} or {PROTOBUF}\n"


def _trace_id(text: str) -> str:
    if not text.isalnum() or len(text) > 32:
        raise BadQueryError(f"the trace id is {text!r}; wanted up to 32 hexadecimal digits")
    return normalize_trace_id(text)


def _service(request: web.Request) -> str:
    if not request.query.get("serviceName"):
        raise BadQueryError("serviceName is missing; wanted a service, see /api/v2/services")
    return request.query["serviceName"]


def _now() -> int:
    return int(time.time() * 1000)
