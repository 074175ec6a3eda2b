"""The dashboard's HTTP server: the page, its data, and the changes that it can make."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from meshproof.control import zipkin_client
from meshproof.control.wire import encode_error
from meshproof.dashboard import log_tail, rule_files
from meshproof.dashboard.guard import Guard, Handler, add_headers
from meshproof.dashboard.poller import INTERVAL, MeshPoller
from meshproof.errors import MeshproofError, UsageError
from meshproof.extras import MissingExtra
from meshproof.telemetry.trace_rows import summary, waterfall

PAGE = Path(__file__).parent / "page"
_LINES = 100
_TRACES = 50
_FLUSH_SECONDS = 1.0
"""After this time the sidecars have sent every span of a trace."""
_END_LIMIT = 0.1
"""Seconds that open pages get when the server ends."""
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def plotly_js() -> Path:
    """The file in the installed package ``plotly``, whose slow Python is not imported."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or spec.origin is None:
        raise MissingExtra("plotly")
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


class Server:
    """Serves one mesh by its name from ``start`` to ``close``."""

    def __init__(
        self,
        name: str,
        listener: socket.socket,
        token: str,
        rules: Path,
        *,
        interval: float = INTERVAL,
    ) -> None:
        """``interval``: seconds between two polls of the mesh."""
        self.poller = MeshPoller(name, interval)
        self._listener, self._rules = listener, rules
        self.guard = Guard(listener.getsockname()[1], token)
        self._plotly = plotly_js()
        self._polling: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(middlewares=[self.guard.middleware, _errors])
        app.on_response_prepare.append(add_headers)
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/plotly.js", self._plotly_js),
                web.get("/page/{file}", self._file),
                web.get("/api/history", self._history),
                web.get("/api/live", self._live),
                web.get("/api/log", self._log),
                web.get("/api/services", self._services),
                web.get("/api/traces", self._traces),
                web.get("/api/trace/{id}", self._trace),
                web.get("/api/rules", self._rule_names),
                web.get("/api/rule", self._rule_text),
                web.post("/api/apply", self._apply),
                web.post("/api/delete", self._delete),
                web.post("/api/reset", self._reset),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_END_LIMIT)
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener).start()
        self._polling = asyncio.create_task(self.poller.run())

    async def close(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait({self._polling})
        if self._runner is not None:
            await self._runner.cleanup()

    # -- the page ------------------------------------------------------------------------------

    async def _index(self, _request: web.Request) -> web.Response:
        text = (PAGE / "index.html").read_text(encoding="utf-8")
        filled = text.replace("{{token}}", self.guard.token)
        return web.Response(text=filled, content_type="text/html", headers=_NO_STORE)

    async def _plotly_js(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(self._plotly, headers={"Cache-Control": "private, max-age=86400"})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """One of our own files. The folder is flat: a name with a slash is not found."""
        path = PAGE / request.match_info["file"]
        if path.suffix not in _KINDS or path.parent != PAGE or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={**_NO_STORE, "Content-Type": _KINDS[path.suffix]})

    # -- data ----------------------------------------------------------------------------------

    async def _history(self, _request: web.Request) -> web.Response:
        points = list(self.poller.history.points)
        return web.json_response({"points": points, "view": self.poller.view})

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the view of every poll, until the page is closed."""
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", **_NO_STORE})
        await stream.prepare(request)
        with contextlib.suppress(ConnectionResetError):
            await stream.write(_event(self.poller.view))
            while True:
                await stream.write(_event(await self.poller.next()))
        return stream

    async def _log(self, request: web.Request) -> web.Response:
        terms = request.query.get("filter", "").split()
        mesh = self.poller.mesh()
        status = self.poller.view["mesh"]
        if "kind" not in status:  # not polled yet
            status = await asyncio.to_thread(mesh.status)
        if status["kind"] == "embedded":
            folder = Path(mesh.entry.run_dir) / "logs"
            records = await asyncio.to_thread(log_tail.read_newest, folder, terms, _LINES)
        else:
            log = await asyncio.to_thread(mesh.access_log)
            records = log_tail.select_newest(log, terms, _LINES)
        return web.json_response({"lines": records})

    async def _services(self, _request: web.Request) -> web.Response:
        return web.json_response({"services": await self._query_zipkin("/api/v2/services")})

    async def _traces(self, request: web.Request) -> web.Response:
        """A search with Zipkin's own parameters; each trace is a summary. The very newest traces
        are left out: sidecars send their spans a little later."""
        names = ("serviceName", "annotationQuery", "minDuration", "maxDuration", "lookback")
        query = {name: request.query[name] for name in names if request.query.get(name)}
        traces = await self._query_zipkin(
            "/api/v2/traces", {**query, "limit": str(_TRACES), "endTs": _end_of_search()}
        )
        lines = [summary(trace) for trace in traces if trace]
        return web.json_response({"traces": sorted(lines, key=lambda line: -line["at"])})

    async def _trace(self, request: web.Request) -> web.Response:
        trace = await self._query_zipkin(f"/api/v2/trace/{request.match_info['id']}")
        return web.json_response(waterfall(trace))

    async def _query_zipkin(self, path: str, query: dict[str, str] | None = None) -> Any:
        return await asyncio.to_thread(zipkin_client.get, self.poller.mesh(), path, query)

    async def _rule_names(self, _request: web.Request) -> web.Response:
        files = rule_files.describe(self._rules) if self._rules.is_dir() else []
        return web.json_response({"folder": str(self._rules), "files": files})

    async def _rule_text(self, request: web.Request) -> web.Response:
        title, text = rule_files.read(self._rules, request.query.get("name", ""))
        return web.json_response({"title": title, "text": text})

    # -- change --------------------------------------------------------------------------------

    async def _apply(self, request: web.Request) -> web.Response:
        title, text = rule_files.read(self._rules, await _file_name(request))
        return await _change(self.poller.mesh().apply, [(title, text)], "", False)

    async def _delete(self, request: web.Request) -> web.Response:
        title, text = rule_files.read(self._rules, await _file_name(request))
        return await _change(self.poller.mesh().delete, [(title, text)], "")

    async def _reset(self, _request: web.Request) -> web.Response:
        return await _change(self.poller.mesh().reset)


def _end_of_search() -> str:
    return str(int((time.time() - _FLUSH_SECONDS) * 1000))


_NO_STORE = {"Cache-Control": "no-store"}


def _event(view: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(view, separators=(",", ":")).encode() + b"\n\n"


async def _change(method: Callable[..., Any], *args: Any) -> web.Response:
    return web.json_response(await asyncio.to_thread(method, *args))


async def _file_name(request: web.Request) -> str:
    try:
        return str((await request.json())["name"])
    except (ValueError, KeyError, TypeError):
        raise UsageError('wanted a JSON object {"name": RULE FILE}') from None


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors go to the page with the mesh's own message."""
    try:
        return await handler(request)
    except MeshproofError as error:
        status, body = encode_error(error)
        return web.json_response(body, status=status)
