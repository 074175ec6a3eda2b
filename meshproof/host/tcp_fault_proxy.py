"""A TCP proxy in front of one address that delays, loses or blocks what passes through it.

It works on byte streams, so mutual TLS passes through, and needs no privileges. The destination
sees the caller's own address.

It is a program as well: in the network namespace of a cluster's node, where connections are
redirected to it. So it imports the standard library alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import socket
import struct
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

RETRANSMIT = 0.2
"""Seconds after which TCP on Linux retransmits a lost segment, at the earliest."""
_CHUNK = 1 << 16
GRACE = 2.0
"""Seconds that connections have to finish once no new ones come this way."""
_HOST = "127.0.0.1"
_ORIGINAL_DESTINATION = 80
"""Linux' SO_ORIGINAL_DST: where a connection was headed before iptables redirected it."""

BACKLOG = 1024
HostPort = tuple[str, int]
"""IP and port."""
Place = HostPort | str
"""An address, or the path of a Unix socket."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Network(Protocol):
    """Where a proxy stands, and how it reaches what it stands before."""

    def bind(self, *, listens: bool) -> tuple[socket.socket, Place]:
        """A socket for callers, and its address; not blocking. One that is bound and does not
        listen is refused by the kernel."""

    async def connect(self, to: Place, caller: str) -> Streams:
        """To the destination; ``caller`` is the IP that it shall see, where there is one."""

    def release(self, place: Place) -> None:
        """The socket at ``place`` is closed."""


class HostNetwork:
    """This process's own network."""

    def __init__(self, host: str = _HOST) -> None:
        self._host = host

    def bind(self, *, listens: bool) -> tuple[socket.socket, Place]:
        result = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        result.bind((self._host, 0))
        result.setblocking(False)
        if listens:
            result.listen(BACKLOG)
        return result, (self._host, result.getsockname()[1])

    async def connect(self, to: Place, caller: str) -> Streams:
        assert not isinstance(to, str), "a Unix socket is no address"
        host, port = to
        return await asyncio.open_connection(host, port, local_addr=(caller, 0))

    def release(self, place: Place) -> None:
        """Nothing stays behind."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """What happens to connections."""

    passes: bool = True
    """False: connections are accepted and nothing ever comes through (a cut)."""
    refuses: bool = False
    """Connections are refused, as by a host that does not listen."""
    delay: float = 0.0
    """Seconds by which every chunk towards the destination is late."""
    loss: float = 0.0
    """Share of the chunks that are lost and retransmitted ``RETRANSMIT`` later, as TCP does."""


class TcpFaultProxy:
    """Create and close it in the event loop that it runs in."""

    def __init__(
        self,
        to: Place | None,
        impairment: Impairment,
        rng: random.Random,
        network: Network | None = None,
    ) -> None:
        """Without ``to``, connections are those that iptables redirected here; their destination
        sees the address of this machine. ``network`` is by default the host's loopback."""
        self._to, self._impairment, self._rng = to, impairment, rng
        self._network = network or HostNetwork()
        self._tasks: set[asyncio.Task[None]] = set()
        """One for each connection."""
        self._accepting: asyncio.Task[None] | None = None
        self.address: Place
        """Where to connect instead."""
        self._socket, self.address = self._network.bind(listens=not impairment.refuses)
        if not impairment.refuses:
            self._accepting = asyncio.create_task(self._accept())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, peer = await loop.sock_accept(self._socket)
            self._start(self._serve(connection, peer[0] if peer else ""))

    async def _serve(self, connection: socket.socket, caller: str) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            if not self._impairment.passes:
                await reader.read()  # until the caller gives up
                return
            upstream = await self._connect(connection, caller)
            try:
                await self._relay(reader, writer, *upstream)
            finally:
                await _close(upstream[1])
        except OSError:
            pass  # either end has closed; the other sees its connection end, as it should
        finally:
            await _close(writer)

    async def _connect(
        self, connection: socket.socket, caller: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._to is not None:
            return await self._network.connect(self._to, caller)
        return await asyncio.open_connection(*_original_destination(connection))

    async def _relay(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream_reader: asyncio.StreamReader,
        upstream_writer: asyncio.StreamWriter,
    ) -> None:
        """Until either side closes: HTTP has no use for a half-closed connection."""
        directions = [
            asyncio.create_task(self._copy(reader, upstream_writer, self._impairment.delay)),
            asyncio.create_task(self._copy(upstream_reader, writer, 0.0)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float
    ) -> None:
        """Chunk by chunk, in order. The next chunk is read while one is delayed, so a delay costs
        time and no throughput."""
        loop = asyncio.get_running_loop()
        delayed: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)

        async def read() -> None:
            while data := await reader.read(_CHUNK):
                await delayed.put((loop.time() + delay + self._retransmission_delay(), data))
            await delayed.put((loop.time() + delay, b""))

        async def write() -> None:
            while True:
                due, data = await delayed.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    return
                writer.write(data)
                await writer.drain()

        reading = asyncio.create_task(read())
        try:
            await write()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def _retransmission_delay(self) -> float:
        """Seconds; a chunk may be lost several times."""
        seconds = 0.0
        while self._rng.random() < self._impairment.loss:
            seconds += RETRANSMIT
        return seconds

    async def close(self, grace: float = GRACE) -> None:
        """Accept no more connections, give open ones ``grace`` seconds to finish, end the rest.

        Callers must have been given another address before. Safe to call twice.
        """
        if self._accepting is not None:
            self._accepting.cancel()
        self._socket.close()
        self._network.release(self.address)
        if self._tasks and self._impairment.passes and grace:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _original_destination(connection: socket.socket) -> HostPort:
    """Raises OSError for a connection that was not redirected."""
    address = connection.getsockopt(socket.SOL_IP, _ORIGINAL_DESTINATION, 16)
    port, ip = struct.unpack("!2xH4s8x", address)
    original = (socket.inet_ntoa(ip), int(port))
    if original == connection.getsockname():  # it would be a connection to itself, without end
        raise OSError(f"a connection to {original} was not redirected")
    return original


async def _serve_redirected(impairment: Impairment) -> None:
    """Print the port, and serve until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    everywhere = HostNetwork("0.0.0.0")  # noqa: S104
    proxy = TcpFaultProxy(None, impairment, random.Random(), everywhere)  # noqa: S311
    print(proxy.address[1], flush=True)
    await ended.wait()
    await proxy.close()


if __name__ == "__main__":
    asyncio.run(_serve_redirected(Impairment(**json.loads(sys.argv[1]))))
