"""The span store: takes what Envoy's Zipkin tracer posts, and gives a run's spans back.

Bodies are kept as they came and read only when somebody asks, so that collecting costs next to
nothing while load runs. The store is bounded; what it had to drop is counted, and a verdict on an
incomplete store is void (``dropped``).
"""

from __future__ import annotations

import collections
import json
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from meshproof.mesh import Span

Reader = Callable[[bytes], Iterable[Span]]
LIMIT = 512 * 1024 * 1024
"""Bytes of bodies kept; some 700,000 spans."""


class SpanStore:
    """In memory, for one mesh. Use from one event loop."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._bodies: collections.deque[tuple[Reader, bytes]] = collections.deque()
        self._limit, self._size = limit, 0
        self.reports = 0
        """POSTs taken so far: Envoy counts each as ``reports_sent``."""
        self.dropped = 0
        """POSTs given up for want of room."""

    def add(self, body: bytes, content_type: str = "application/json") -> None:
        """One body of ``POST /api/v2/spans``: a list of Zipkin v2 spans, as JSON or protobuf."""
        self.reports += 1
        self._bodies.append((_READERS.get(content_type, _read_json), body))
        self._size += len(body)
        while self._size > self._limit:
            self._size -= len(self._bodies.popleft()[1])
            self.dropped += 1

    def of_run(self, run_id: str) -> list[Span]:
        """Every span that carries the run id in its ``run_id`` tag, oldest report first."""
        needle = run_id.encode()
        return [
            span
            for reader, body in self._bodies
            if needle in body
            for span in reader(body)
            if span.tags.get("run_id") == run_id
        ]

    async def handle(self, request: web.Request) -> web.Response:
        """Zipkin's collector: 202 for a list of spans."""
        self.add(await request.read(), request.content_type)
        return web.Response(status=202)


def _span(raw: dict[str, Any]) -> Span:
    return Span(
        trace_id=raw["traceId"],
        span_id=raw["id"],
        parent_id=raw.get("parentId", ""),
        kind=raw.get("kind", ""),
        service=raw.get("localEndpoint", {}).get("serviceName", ""),
        name=raw.get("name", ""),
        start=raw.get("timestamp", 0) / 1e6,
        duration=raw.get("duration", 0) / 1e6,
        tags=raw.get("tags", {}),
    )


def _read_json(body: bytes) -> Iterable[Span]:
    return map(_span, json.loads(body))


def _read_proto(body: bytes) -> Iterable[Span]:
    from meshproof.observe import zipkin_proto  # noqa: PLC0415  # only where spans are read

    return zipkin_proto.read(body)


_READERS: dict[str, Reader] = {
    "application/json": _read_json,
    "application/x-protobuf": _read_proto,
}


async def serve(store: SpanStore, socket: str) -> web.AppRunner:
    """Listen for Envoys on a Unix socket; close with ``await runner.cleanup()``."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/api/v2/spans", store.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, socket).start()
    return runner
