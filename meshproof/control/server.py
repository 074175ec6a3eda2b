"""The control socket: the ``Mesh`` contract as JSON over HTTP on a Unix socket of mode 0600.

Handlers run the mesh's blocking methods in threads, so that a slow change does not keep others
waiting for a look. Errors come back with their class and problems (``wire.error_of``).
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from meshproof.control.events import ChangeRequest, Events, files
from meshproof.control.leases import Leases
from meshproof.control.protocols import Releasing, Remote, ServedMesh
from meshproof.control.routes import cluster, dashboard, explain
from meshproof.control.routes.logs import written
from meshproof.control.wire import Json, error_of, plain
from meshproof.errors import MeshproofError, Unsupported, UsageError
from meshproof.host.event_loop import LoopThread
from meshproof.mesh import Source

_BODY_LIMIT = 64 << 20
_END_LIMIT = 0.5
"""Seconds that open answers (followed logs) get when the server ends."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlServer:
    """Serves one mesh from ``start`` to ``close``, in a thread of its own."""

    def __init__(self, mesh: ServedMesh, on_down: Callable[[], None]) -> None:
        """``on_down`` is called, in the server's thread, when a client asks for the end."""
        self._mesh = mesh
        self._on_down = on_down
        self._loop: LoopThread | None = None
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()
        self._holds = Leases()
        self.events = Events()

    def start(self, path: Path) -> None:
        """Listen at ``path``; raises MeshproofError where that cannot be."""
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
        self._holds.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self, path: Path) -> None:
        app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[_errors])
        app.add_routes(
            [
                web.post("/apply", self._apply),
                web.post("/delete", self._delete),
                web.post("/reset", self._reset),
                web.post("/scale", self._scale),
                web.post("/fault", self._fault),
                web.post("/curl", self._curl),
                web.post("/dump", self._dump),
                web.post("/hold", self._hold),
                web.post("/down", self._down),
                web.get("/url", self._url),
                web.get("/command", self._command),
                web.get("/environment", self._environment),
                web.get("/status", self._status),
                web.get("/logs", self._logs),
                web.get("/joined-logs", self._joined_logs),
                web.get("/spans", self._spans),
                web.get("/access-log", self._access_log),
                web.get("/metrics", self._metrics),
                web.get("/rules", self._rules),
                web.get("/tail", self._tail),
                *cluster.routes(self._mesh),
                *explain.routes(self._mesh),
                *dashboard.routes(self._mesh, self.events),
            ]
        )
        self._runner = web.AppRunner(
            app, handle_signals=False, access_log=None, shutdown_timeout=_END_LIMIT
        )
        await self._runner.setup()
        await web.SockSite(self._runner, _private_socket(path)).start()

    # -- change -----------------------------------------------------------------------------

    async def _apply(self, request: web.Request) -> web.Response:
        asked = await _json(request)
        sources = _sources(asked)
        return await self._changed(
            ChangeRequest("apply", files(sources)),
            self._mesh.apply,
            sources,
            namespace=asked.get("namespace", ""),
            strict=asked.get("strict", False),
        )

    async def _delete(self, request: web.Request) -> web.Response:
        asked = await _json(request)
        sources, namespace = _sources(asked), asked.get("namespace", "")
        change = ChangeRequest("delete", files(sources))
        return await self._changed(change, self._mesh.delete, sources, namespace=namespace)

    async def _reset(self, _request: web.Request) -> web.Response:
        return await self._changed(ChangeRequest("reset", ""), self._mesh.reset)

    async def _scale(self, request: web.Request) -> web.Response:
        asked = await _json(request)
        workload, replicas = asked["workload"], asked["replicas"]
        change = ChangeRequest("scale", f"{workload}={replicas}")
        return await self._changed(change, self._mesh.scale, workload, replicas)

    async def _fault(self, request: web.Request) -> web.Response:
        asked = await _json(request)
        kind, workload, how = asked["kind"], asked["workload"], asked.get("how", {})
        words = (kind, workload, *(f"{key}={value}" for key, value in how.items()))
        change = ChangeRequest("fault", " ".join(word for word in words if word))
        return await self._changed(change, self._mesh.fault, kind, workload, **how)

    async def _hold(self, request: web.Request) -> web.StreamResponse:
        """The first line says what is held and what undoes it (sources to apply, or a workload
        whose faults to clear); a second one ends the hold. The body's end without it is the
        holder's end (see ``leases``)."""
        asked = json.loads(await request.content.readline())
        name = asked["name"]

        async def undo() -> None:
            change = ChangeRequest("undo", name)
            if "clear" in asked:
                clear = asyncio.to_thread(self._mesh.fault, "clear", asked["clear"])
                await self.events.watch(change, clear)
            else:
                namespace = asked.get("namespace", "")
                sources = _sources(asked)
                apply = asyncio.to_thread(self._mesh.apply, sources, namespace=namespace)
                await self.events.watch(change, apply)

        self._holds.take(name, undo, float(asked["grace"]))
        try:
            stream = web.StreamResponse()
            await stream.prepare(request)
            await stream.write(b"held\n")
            if (await request.content.readline()).strip() == b"release":
                self._holds.release(name)
                await stream.write_eof()
            return stream
        except (OSError, web.RequestPayloadError):
            return stream
        finally:
            self._holds.drop(name)

    async def _changed(
        self, asked: ChangeRequest, method: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> web.Response:
        """The result of a change as JSON; it is remembered, taken or refused."""
        change = asyncio.to_thread(method, *args, **kwargs)
        return web.json_response(plain(await self.events.watch(asked, change)))

    async def _down(self, _request: web.Request) -> web.Response:
        self._on_down()
        return web.json_response({})

    # -- look -------------------------------------------------------------------------------

    async def _curl(self, request: web.Request) -> web.Response:
        asked = await _json(request)
        answer = await asyncio.to_thread(
            self._mesh.curl,
            asked["workload"],
            asked["url"],
            method=asked.get("method", "GET"),
            headers=[(name, value) for name, value in asked.get("headers", [])],
            body=base64.b64decode(asked.get("body", "")),
            timeout=asked.get("timeout", 30.0),
        )
        said = plain(dataclasses.replace(answer, body=b""))
        return web.json_response({**said, "body": base64.b64encode(answer.body).decode()})

    async def _dump(self, request: web.Request) -> web.Response:
        asked = await _json(request)
        return await _answer(self._mesh.dump, Path(asked["folder"]))

    async def _url(self, request: web.Request) -> web.Response:
        return await _answer(self._mesh.url, _query(request, "target"))

    async def _command(self, request: web.Request) -> web.Response:
        workload = _query(request, "workload")
        if not isinstance(self._mesh, Remote):
            return web.json_response([])
        return await _answer(self._mesh.command, workload, terminal="terminal" in request.query)

    async def _environment(self, request: web.Request) -> web.Response:
        return await _answer(self._mesh.environment, _query(request, "workload"))

    async def _status(self, _request: web.Request) -> web.Response:
        return await _answer(self._mesh.status)

    async def _spans(self, request: web.Request) -> web.Response:
        return await _answer(self._mesh.spans, _query(request, "run_id"))

    async def _access_log(self, request: web.Request) -> web.Response:
        return await _answer(self._mesh.access_log, request.query.get("run_id", ""))

    async def _joined_logs(self, request: web.Request) -> web.Response:
        asked = {key: request.query.get(key, "") for key in ("trace_id", "run_id")}
        return await _answer(self._mesh.joined_logs, **asked)

    async def _metrics(self, request: web.Request) -> web.Response:
        text = await asyncio.to_thread(self._mesh.metrics, request.query.get("workload", ""))
        return web.Response(text=text)

    async def _rules(self, _request: web.Request) -> web.Response:
        return web.Response(text=await asyncio.to_thread(self._releasing().rules))

    async def _tail(self, request: web.Request) -> web.Response:
        host, cursor = _query(request, "host"), request.query.get("cursor", "")
        return await _answer(self._releasing().tail, host, cursor)

    def _releasing(self) -> Releasing:
        if not isinstance(self._mesh, Releasing):
            raise Unsupported(f"release: the mesh {self._mesh.name} is of a kind that has none yet")
        return self._mesh

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        return await written(self._mesh, _query(request, "workload"), request, self._closing)


def _private_socket(path: Path) -> socket.socket:
    """A listening socket that only this user may connect to, from its first moment on."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The folder is 0700 already; the mode says the same of the socket itself.
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
    except Exception as failure:  # the client must learn of any, and the mesh lives on
        status, body = error_of(failure)
        return web.json_response(body, status=status)


async def _json(request: web.Request) -> Json:
    try:
        asked = await request.json()
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise UsageError("the control socket takes a JSON object")
    return asked


def _sources(asked: Json) -> list[Source]:
    return [Source(source["file"], source["text"]) for source in asked["sources"]]


def _query(request: web.Request, name: str) -> str:
    if name not in request.query:
        raise UsageError(f"the control socket wants ?{name}=")
    return request.query[name]


async def _answer(method: Callable[..., Any], *args: Any, **kwargs: Any) -> web.Response:
    """The result of a blocking method as JSON."""
    result = await asyncio.to_thread(method, *args, **kwargs)
    return web.json_response(plain(result))
