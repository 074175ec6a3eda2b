"""Copies of what the span store takes, for a real Zipkin or an OpenTelemetry collector.

In order, one after the other. Where that is too slow, or fails, copies are lost, counted and said
once; what the store keeps is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from meshproof.telemetry.span_reports import SpanReport

_log = logging.getLogger("meshproof")
_ROOM = 1000
"""Reports that may wait."""
_TIMEOUT = aiohttp.ClientTimeout(total=5)
PROTOBUF, JSON = "application/x-protobuf", "application/json"


@dataclass(frozen=True, slots=True)
class SpanReceiver:
    """Whom copies are for: the URL that takes them, and what is sent there for a report."""

    url: str
    form: Callable[[SpanReport], tuple[bytes, str]]
    """Body and Content-Type."""


def zipkin(report: SpanReport) -> tuple[bytes, str]:
    """As Zipkin takes it; an Envoy's ids are put the right way round."""
    if report.form == "json":
        return report.body, JSON
    from meshproof.telemetry import zipkin_proto  # noqa: PLC0415  # only where there are copies

    return zipkin_proto.straightened(report.body), PROTOBUF


def otlp(report: SpanReport) -> tuple[bytes, str]:
    """As an OpenTelemetry collector takes it."""
    from meshproof.telemetry import otlp as messages  # noqa: PLC0415  # only where there are copies

    return messages.write(report.spans(None)), PROTOBUF


class Copies:
    """Reports on their way to one place."""

    def __init__(self, place: SpanReceiver) -> None:
        self._place = place
        self._waiting: asyncio.Queue[SpanReport] = asyncio.Queue(_ROOM)
        self._task: asyncio.Task[None] | None = None
        self.sent = 0
        self.lost = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._send_all())

    def add(self, report: SpanReport) -> None:
        try:
            self._waiting.put_nowait(report)
        except asyncio.QueueFull:
            self._lose(f"more than {_ROOM} reports wait")

    def _lose(self, why: str) -> None:
        self.lost += 1
        if self.lost == 1:
            _log.warning("copies of spans for %s are lost: %s", self._place.url, why)

    async def _send_all(self) -> None:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            while True:
                await self._send(session, await self._waiting.get())

    async def _send(self, session: aiohttp.ClientSession, report: SpanReport) -> None:
        try:
            body, kind = await asyncio.to_thread(self._place.form, report)
            headers = {"Content-Type": kind}
            async with session.post(self._place.url, data=body, headers=headers) as answer:
                if answer.status >= 300:
                    return self._lose(f"HTTP {answer.status}: {(await answer.text())[:200]}")
                self.sent += 1
        except Exception as error:  # whatever is wrong with one copy, the next is sent
            self._lose(str(error) or type(error).__name__)

    async def stop(self) -> None:
        """What still waits is not sent."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
