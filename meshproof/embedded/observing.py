"""Where an embedded mesh is looked at from outside: addresses on loopback, as long as it is up."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from meshproof.embedded import metrics_api
from meshproof.embedded.addresses import real_port
from meshproof.embedded.engine import Engine
from meshproof.embedded.targets import AGENT_PORT
from meshproof.observe import span_api

ZIPKIN_PORT = 9411
_END_LIMIT = 0.5
"""Seconds that open answers get at the end."""


class Observing:
    """What is asked by others than Envoys: the span store, and what everybody counts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._runners: list[web.AppRunner] = []
        self.urls: Mapping[str, str] = {}
        """What it is -> its URL."""

    async def start(self) -> None:
        runtime = self._engine.runtime
        ip = runtime.block.observed
        zipkin = real_port(ip, ZIPKIN_PORT)
        await self._listen(span_api.application(self._engine.spans), ip, zipkin)
        metrics = real_port(ip, AGENT_PORT)
        await self._listen(metrics_api.application(self._engine), ip, metrics)
        self.urls = {
            "zipkin": f"http://{ip}:{zipkin}",
            "metrics": f"http://{ip}:{metrics}/metrics",
        }

    async def _listen(self, app: web.Application, ip: str, port: int) -> None:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_END_LIMIT)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, ip, port).start()

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
