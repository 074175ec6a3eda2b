"""Forwards copies of the span store's reports to a real Zipkin or an OpenTelemetry collector.

In order, one after the other. If that is too slow, or fails, copies are lost and counted, and the
first loss is logged; the store itself loses nothing.
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
_QUEUE_SIZE = 1000
"""Reports that may wait."""
_TIMEOUT = aiohttp.ClientTimeout(total=60)
PROTOBUF, JSON = "application/x-protobuf", "application/json"


@dataclass(frozen=True, slots=True)
class SpanReceiver:
    """Who gets copies: a URL, and the form in which it takes a report."""

    url: str
    encode: Callable[[SpanReport], tuple[bytes, str]]
    """Body and Content-Type."""


def to_zipkin(report: SpanReport) -> tuple[bytes, str]:
    """As Zipkin takes it: an Envoy's ids get the byte order of the schema."""
    if report.form == "json":
        return report.body, JSON
    from meshproof.telemetry import zipkin_proto  # noqa: PLC0415  # only where there are copies

    return zipkin_proto.fix_byte_order(report.body), PROTOBUF


def to_otlp(report: SpanReport) -> tuple[bytes, str]:
    """As an OpenTelemetry collector takes it."""
    from meshproof.telemetry import otlp as messages  # noqa: PLC0415  # only where there are copies

    return messages.write(report.spans(None)), PROTOBUF


class SpanForwarder:
    """Reports on their way to one receiver."""

    def __init__(self, receiver: SpanReceiver) -> None:
        self._receiver = receiver
        self._queue: asyncio.Queue[SpanReport] = asyncio.Queue(_QUEUE_SIZE)
        self._task: asyncio.Task[None] | None = None
        self.sent = 0
        self.lost = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._send_all())

    def add(self, report: SpanReport) -> None:
        try:
            self._queue.put_nowait(report)
        except asyncio.QueueFull:
            self._lose(f"more than {_QUEUE_SIZE} reports wait")

    def _lose(self, reason: str) -> None:
        self.lost += 1
        if self.lost == 1:
            _log.warning("copies of spans for %s are lost: %s", self._receiver.url, reason)

    async def _send_all(self) -> None:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            while True:
                await self._send(session, await self._queue.get())

    async def _send(self, session: aiohttp.ClientSession, report: SpanReport) -> None:
        try:
            body, content_type = await asyncio.to_thread(self._receiver.encode, report)
            headers = {"Content-Type": content_type}
            async with session.post(self._receiver.url, data=body, headers=headers) as response:
                if response.status >= 300:
                    return self._lose(f"HTTP {response.status}: {(await response.text())[:200]}")
                self.sent += 1
        except Exception as error:  # whatever is wrong with one copy, the next one is sent
            self._lose(str(error) or type(error).__name__)

    async def stop(self) -> None:
        """Reports that still wait are not sent."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
