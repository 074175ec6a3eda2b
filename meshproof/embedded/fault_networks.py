"""Where the proxy of a network fault stands: in the host's network, in that of the pods, or on a
Unix socket between the two."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

from meshproof.embedded.sandbox import Sandboxes
from meshproof.host.tcp_fault_proxy import BACKLOG, Place, Streams

_MESH = ""
"""The network in which the sidecars of pods meet."""


class PodNetwork:
    """Between two sidecars of pods."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self._sandboxes = sandboxes

    def bind(self, *, listens: bool) -> tuple[socket.socket, Place]:
        backlog = BACKLOG if listens else None
        result = self._sandboxes.make_socket(_MESH, bind=("127.0.0.1", 0), backlog=backlog)
        host, port = result.getsockname()
        return result, (host, port)

    async def connect(self, to: Place, caller: str) -> Streams:
        """From the caller's own address, which policies look at."""
        upstream = self._sandboxes.make_socket(_MESH, bind=(caller, 0))
        try:
            await asyncio.get_running_loop().sock_connect(upstream, to)
        except BaseException:
            upstream.close()
            raise
        return await asyncio.open_connection(sock=upstream)

    def release(self, place: Place) -> None:
        """Nothing stays behind."""


class PipeNetwork:
    """Into the pods or out of them; ``folder`` is that of the mesh's sockets."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def bind(self, *, listens: bool) -> tuple[socket.socket, Place]:
        self._count += 1
        path = str(self._folder / f"f{self._count}")
        result = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        result.bind(path)
        result.setblocking(False)
        if listens:
            result.listen(BACKLOG)
        return result, path

    async def connect(self, to: Place, _caller: str) -> Streams:
        assert isinstance(to, str), "the path of a Unix socket"
        return await asyncio.open_unix_connection(to)

    def release(self, place: Place) -> None:
        with contextlib.suppress(FileNotFoundError):  # the run folder may have gone first
            Path(str(place)).unlink()
