"""Where an embedded mesh is looked at from outside: addresses on loopback, as long as it is up."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from meshproof.embedded.addresses import real_port
from meshproof.embedded.engine import Engine
from meshproof.observe import span_api

ZIPKIN_PORT = 9411
_END_LIMIT = 0.5
"""Seconds that open answers get at the end."""


class Observing:
    """What is asked by others than Envoys: the span store."""

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
        self.urls = {"zipkin": f"http://{ip}:{zipkin}"}

    async def _listen(self, app: web.Application, ip: str, port: int) -> None:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_END_LIMIT)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, ip, port).start()

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
