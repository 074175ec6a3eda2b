"""The span store: collects what Envoy's Zipkin tracer posts, and answers queries.

Bodies are kept as they arrive and parsed only for a query, so that collecting costs next to
nothing under load. The store is bounded in bytes and in age. It counts what it had to drop: a
verdict on a run that lost spans is void (``has_lost``).
"""

from __future__ import annotations

import asyncio
import collections
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from meshproof.mesh import Span
from meshproof.telemetry.span_forwarder import SpanForwarder
from meshproof.telemetry.span_index import SpanIndex
from meshproof.telemetry.span_reports import Form, SpanReport
from meshproof.telemetry.zipkin_json import Raw

T = TypeVar("T")
LIMIT = 512 * 1024 * 1024
"""Bytes of bodies kept: some 700,000 spans of Envoys. An index of all of them takes half as much
again."""
AGE = 3600.0
_MAX_RUNS = 10_000

_FORMS: dict[str, Form] = {"application/x-protobuf": "envoy"}


@dataclass(frozen=True, slots=True)
class SpanCounts:
    """Since the store began; reports are POSTs."""

    reports: int
    dropped: int
    """Removed for lack of space, or for their age."""
    kept: int
    kept_bytes: int


class SpanStore:
    """In memory, for one mesh. Use from one event loop; ``index`` is read in threads."""

    def __init__(
        self,
        limit: int = LIMIT,
        age: float = AGE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``limit`` in bytes of bodies, ``age`` in seconds."""
        self._reports: collections.deque[SpanReport] = collections.deque()
        self._limit, self._age, self._clock = limit, age, clock
        self._size = 0
        self.reports = 0
        """POSTs accepted so far: Envoy counts each as ``reports_sent``."""
        self.dropped = 0
        """POSTs removed for lack of space, or for their age."""
        self._lost_runs: set[str] = set()
        self._too_many_lost = False
        self._index = SpanIndex()
        self._indexed = 0
        self._dropped_numbers: list[int] = []
        self._catching_up = asyncio.Lock()
        self.forwarders: list[SpanForwarder] = []

    def add(self, body: bytes, content_type: str = "application/json") -> None:
        """One body of ``POST /api/v2/spans`` as an Envoy of this mesh sends it, or a list of
        checked Zipkin v2 spans as JSON."""
        self.reports += 1
        form = _FORMS.get(content_type, "json")
        report = SpanReport(self.reports, form, body, self._clock())
        self._reports.append(report)
        for forwarder in self.forwarders:
            forwarder.add(report)
        self._size += len(body)
        self._drop_old()

    def add_spans(self, spans: list[Raw]) -> None:
        """Checked spans of other senders."""
        self.add(json.dumps(spans, ensure_ascii=False, separators=(",", ":")).encode())

    def set_limits(self, limit: int, age: float) -> None:
        """Change the limits."""
        self._limit, self._age = limit, age

    def _drop_old(self) -> None:
        """Remove reports beyond the limits of bytes and age."""
        oldest = self._clock() - self._age
        while self._reports and (self._size > self._limit or self._reports[0].at < oldest):
            report = self._reports.popleft()
            self._size -= len(report.body)
            self.dropped += 1
            self._note_lost(report)
            if report.number <= self._indexed:
                self._dropped_numbers.append(report.number)

    def _note_lost(self, report: SpanReport) -> None:
        if len(self._lost_runs) < _MAX_RUNS:
            self._lost_runs |= report.runs()
        else:
            self._too_many_lost = True

    def has_lost(self, run_id: str) -> bool:
        """Whether spans of a run may have been dropped; True for every run once spans of 10,000
        runs were."""
        return run_id in self._lost_runs or self._too_many_lost

    def of_run(self, run_id: str) -> list[Span]:
        """Every span with the run id in its ``run_id`` tag, oldest report first."""
        return [span for report in self._reports for span in report.of_run(run_id)]

    def counts(self) -> SpanCounts:
        return SpanCounts(self.reports, self.dropped, len(self._reports), self._size)

    async def index(self, query: Callable[[SpanIndex], T]) -> T:
        """Run a query on everything that is stored by now, in a thread."""
        async with self._catching_up:
            self._drop_old()
            since = self._indexed
            newer = itertools.takewhile(lambda r: r.number > since, reversed(self._reports))
            new, dropped = list(newer)[::-1], self._dropped_numbers
            self._indexed, self._dropped_numbers = self.reports, []
            await asyncio.to_thread(self._index.catch_up, new, dropped)
        return await asyncio.to_thread(query, self._index)

    async def handle(self, request: web.Request) -> web.Response:
        """Zipkin's collector for the Envoys of this mesh: 202 for a list of spans."""
        self.add(await request.read(), request.content_type)
        return web.Response(status=202)


async def serve(store: SpanStore, socket: str) -> web.AppRunner:
    """Listen for Envoys on a Unix socket; close with ``await runner.cleanup()``."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/api/v2/spans", store.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, socket).start()
    return runner
