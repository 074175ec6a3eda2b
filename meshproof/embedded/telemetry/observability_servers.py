"""The HTTP servers of an embedded mesh, on loopback: its span store and its metrics."""

from __future__ import annotations

import os

from aiohttp import web

from meshproof.embedded.engine import Engine
from meshproof.embedded.telemetry import metrics_api
from meshproof.embedded.telemetry.scrape_targets import AGENT_PORT
from meshproof.host.addresses import real_port
from meshproof.telemetry import span_api, span_settings
from meshproof.telemetry.span_forwarder import SpanForwarder

ZIPKIN_PORT = 9411
_END_LIMIT = 0.5
"""Seconds that open responses get at the end."""


class ObservabilityServers:
    """For clients other than Envoys, as long as the mesh is up."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._settings = span_settings.read(os.environ)
        self._runners: list[web.AppRunner] = []

    async def start(self) -> None:
        context, spans = self._engine.context, self._engine.spans
        spans.set_limits(self._settings.limit, self._settings.age)
        spans.forwarders = [SpanForwarder(receiver) for receiver in self._settings.receivers]
        for forwarder in spans.forwarders:
            forwarder.start()
        ip = context.block.observability
        zipkin = real_port(ip, ZIPKIN_PORT)
        await self._listen(span_api.application(self._engine.spans), ip, zipkin)
        metrics = real_port(ip, AGENT_PORT)
        await self._listen(metrics_api.application(self._engine), ip, metrics)
        context.urls["zipkin"] = f"http://{ip}:{zipkin}"
        context.urls["metrics"] = f"http://{ip}:{metrics}/metrics"

    async def _listen(self, app: web.Application, ip: str, port: int) -> None:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_END_LIMIT)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, ip, port).start()

    async def stop(self) -> None:
        for forwarder in self._engine.spans.forwarders:
            await forwarder.stop()
        for runner in self._runners:
            await runner.cleanup()
