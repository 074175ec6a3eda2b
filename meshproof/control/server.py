"""The control socket: JSON over HTTP on a Unix socket of mode 0600.

Serves every endpoint of ``control.routes``. Handlers that block run in threads, so that a slow
change keeps no query waiting. Errors keep their class and problems (``wire.encode_error``).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

from meshproof.control.context import ControlContext
from meshproof.control.endpoint import Endpoint
from meshproof.control.events import ChangeRequest, EventLog
from meshproof.control.routes import endpoints, holds
from meshproof.control.served_mesh import ServedMesh
from meshproof.control.wire import Json, encode_error
from meshproof.errors import MeshproofError, UsageError
from meshproof.host.event_loop import LoopThread
from meshproof.mesh import Applied

_BODY_LIMIT = 64 << 20
_END_LIMIT = 0.5
"""Seconds that open responses (followed logs) get when the server ends."""
_CLIENT_CHECK = 0.5
"""Seconds between two checks whether the client of a call is still there."""
_PAUSE = 0.1
"""Seconds before a stream that has nothing new is asked again."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlServer:
    """Serves one mesh from ``start`` to ``close``, in a thread of its own."""

    def __init__(self, mesh: ServedMesh, on_down: Callable[[], None]) -> None:
        """``on_down`` is called, in the server's thread, when a client asks for the end."""
        self._context = ControlContext(mesh, on_down)
        self._loop: LoopThread | None = None
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()

    @property
    def events(self) -> EventLog:
        return self._context.events

    def start(self, path: Path) -> None:
        """Listen at ``path``; raises MeshproofError where that is not possible."""
        self._loop = LoopThread("control")
        try:
            self._loop.run(self._listen(path))
        except OSError as error:
            self.close()
            raise MeshproofError(f"{path}: {error.strerror or error}") from error

    def close(self) -> None:
        """Stop listening. Safe to call twice."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            loop.run(self._end())
        finally:
            loop.close()

    async def _end(self) -> None:
        """Followed logs end first, as if their end was reached."""
        self._closing.set()
        self._context.leases.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self, path: Path) -> None:
        app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[_errors])
        app.router.add_post(holds.PATH, functools.partial(holds.serve, self._context))
        for endpoint in endpoints():
            app.router.add_post(endpoint.path, functools.partial(self._serve, endpoint))
        self._runner = web.AppRunner(
            app, handle_signals=False, access_log=None, shutdown_timeout=_END_LIMIT
        )
        await self._runner.setup()
        await web.SockSite(self._runner, _private_socket(path)).start()

    async def _serve(
        self, endpoint: Endpoint[..., Any], request: web.Request
    ) -> web.StreamResponse:
        arguments = await _json(request)
        endpoint.check(arguments)
        if endpoint.streaming:
            return await self._stream(endpoint, arguments, request)
        if endpoint.immediate:
            return web.json_response(endpoint.run(self._context, arguments))
        context = replace(self._context, client_gone=threading.Event())
        work: Awaitable[Any] = asyncio.to_thread(endpoint.run, context, arguments)
        if endpoint.subject is not None:
            change = ChangeRequest(endpoint.name, endpoint.subject(arguments))
            work = self._record(change, work)
        return web.json_response(await _watch_client(work, request, context.client_gone))

    async def _record(self, change: ChangeRequest, work: Awaitable[Applied | None]) -> Json:
        applied = await self.events.record(change, work)
        return applied.as_dict() if applied else {}

    async def _stream(
        self, endpoint: Endpoint[..., Any], arguments: Json, request: web.Request
    ) -> web.StreamResponse:
        """What the handler yields, until it, the client or the mesh ends. An error before the
        first part is a response of its own."""
        parts = endpoint.run(self._context, arguments)
        part = await asyncio.to_thread(next, parts, None)
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(request)
        while part is not None and not self._closing.is_set() and not _is_gone(request):
            if part:
                await response.write(part)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), _PAUSE)
            part = await asyncio.to_thread(next, parts, None)
        await response.write_eof()
        return response


async def _watch_client(
    work: Awaitable[Any], request: web.Request, client_gone: threading.Event
) -> Any:
    """The result of ``work``; sets the event if nobody waits for it any more."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait({task}, timeout=_CLIENT_CHECK)
        if _is_gone(request):
            client_gone.set()
    return await task


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _private_socket(path: Path) -> socket.socket:
    """A listening socket that only this user may connect to, from its first moment on."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The folder is 0700 already; the socket itself gets the same protection.
        listener.bind(str(path))
        os.chmod(path, 0o600)  # noqa: PTH101  (of the path, as every Path method)
    except OSError:
        listener.close()
        raise
    return listener


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (web.HTTPException, ConnectionResetError):
        raise
    except Exception as error:  # whatever it is, the client must learn of it, and the mesh lives on
        status, body = encode_error(error)
        return web.json_response(body, status=status)


async def _json(request: web.Request) -> Json:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise UsageError("the control socket takes a JSON object")
    return body
