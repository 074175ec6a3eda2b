"""The control socket's part for who watches a mesh: what happened, and what it costs to look."""

from __future__ import annotations

import asyncio

from aiohttp import web

from meshproof.control.events import Events
from meshproof.control.protocols import ServedMesh, Watched
from meshproof.control.wire import plain
from meshproof.errors import UsageError


def routes(mesh: ServedMesh, events: Events) -> list[web.RouteDef]:
    """What to serve; a mesh that cannot be watched so closely answers with what it has."""
    answers = _Answers(mesh, events)
    return [
        web.get("/events", answers.events),
        web.get("/topology", answers.topology),
        web.get("/usage", answers.usage),
        web.get("/requests", answers.requests),
    ]


class _Answers:
    def __init__(self, mesh: ServedMesh, events: Events) -> None:
        self._mesh, self._events = mesh, events

    async def events(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isascii() or not since.isdigit():
            raise UsageError(f"?since={since}: wanted the number of an event")
        return web.json_response(plain(self._events.since(int(since))))

    async def topology(self, _request: web.Request) -> web.Response:
        """An empty object from a mesh that does not know: shares are left out, not guessed."""
        if not isinstance(self._mesh, Watched):
            return web.json_response({})
        return web.json_response(plain(await asyncio.to_thread(self._mesh.topology)))

    async def usage(self, _request: web.Request) -> web.Response:
        if not isinstance(self._mesh, Watched):
            return web.json_response([])
        return web.json_response(plain(await asyncio.to_thread(self._mesh.usage)))

    async def requests(self, _request: web.Request) -> web.Response:
        """Prometheus text with the requests' counters and durations, at least."""
        mesh = self._mesh
        method = mesh.request_metrics if isinstance(mesh, Watched) else mesh.metrics
        return web.Response(text=await asyncio.to_thread(method))
