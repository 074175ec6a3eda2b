"""Holds: changes that the mesh undoes when the process that made them is gone (see ``leases``).

The request is one body that is not finished: its first line says what is held and how to undo it,
a second line, ``release``, ends the hold. The end of the body without it is the end of the holder.
"""

from __future__ import annotations

import contextlib
import http.client
import json
from typing import TYPE_CHECKING

from meshproof.control.connection import Connection
from meshproof.control.wire import Json, decode_error
from meshproof.errors import MeshproofError
from meshproof.inputs import Source

if TYPE_CHECKING:
    from aiohttp import web

    from meshproof.control.context import ControlContext
    from meshproof.control.leases import Undo
    from meshproof.host.registry import RunningMesh

PATH = "/hold"
_RELEASE = "release"


class Hold:
    """The client's side. It lives as long as its connection: until ``release``, or the end of this
    process."""

    def __init__(self, entry: RunningMesh, request: Json) -> None:
        """``request``: ``name``, ``grace`` in seconds, and ``sources`` to apply (with their
        ``namespace``) or ``clear``, the workload whose faults to clear."""
        self._connection = Connection(entry)
        try:
            self._connection.putrequest("POST", PATH)
            self._connection.putheader("Transfer-Encoding", "chunked")
            self._connection.endheaders()
            self._send(json.dumps(request))
            self._response = self._connection.getresponse()
            if self._response.status != 200:
                raise decode_error(self._response.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise MeshproofError(
                f"the mesh {entry.name} (process {entry.pid}) does not answer: {error}"
            ) from error
        except MeshproofError:
            self._connection.close()
            raise

    def _send(self, line: str) -> None:
        data = line.encode() + b"\n"
        self._connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def release(self) -> None:
        """Nothing is to be undone; returns when the mesh knows."""
        # A mesh that has ended has nothing to undo.
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._send(_RELEASE)
            self._connection.send(b"0\r\n\r\n")
            self._response.read()
        self._connection.close()


async def serve(context: ControlContext, request: web.Request) -> web.StreamResponse:
    """The server's side; returns when the hold has ended, one way or the other."""
    from aiohttp import web  # noqa: PLC0415  (the client starts quicker without)

    body = json.loads(await request.content.readline())
    name = body["name"]
    context.leases.take(name, _undo(context, body), float(body["grace"]))
    try:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"held\n")
        if (await request.content.readline()).strip() == _RELEASE.encode():
            context.leases.release(name)
            await response.write_eof()
        return response
    except (OSError, web.RequestPayloadError):
        return response
    finally:
        context.leases.drop(name)


def _undo(context: ControlContext, body: Json) -> Undo:
    import asyncio  # noqa: PLC0415

    from meshproof.control.events import ChangeRequest  # noqa: PLC0415

    request = ChangeRequest("undo", body["name"])

    async def undo() -> None:
        if "clear" in body:
            change = asyncio.to_thread(context.mesh.fault, "clear", body["clear"])
            await context.events.record(request, change)
            return
        sources = [Source(*pair) for pair in body["sources"]]
        namespace = body.get("namespace", "")
        apply = asyncio.to_thread(context.mesh.apply, sources, namespace=namespace)
        await context.events.record(request, apply)

    return undo
