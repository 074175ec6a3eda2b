"""A stretch of bad network: a listener on the way to one address, and what it does to bytes.

It works on byte streams, so mutual TLS passes unseen, and needs no rights on this machine. What is
behind it sees the caller's own address.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

RETRANSMIT = 0.2
"""Seconds until TCP sends a lost segment again, at the least, on Linux."""
_CHUNK = 1 << 16
LAST = 2.0
"""Seconds that connections have to finish once nobody comes this way any more."""
_HOST = "127.0.0.1"

HostPort = tuple[str, int]
"""IP and port."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """What happens on the way."""

    passes: bool = True
    """False: connections are taken and nothing ever comes through (a cut)."""
    refuses: bool = False
    """Connections are refused, as by a host where nothing listens."""
    delay: float = 0.0
    """Seconds that every piece of data towards the destination takes longer."""
    loss: float = 0.0
    """Share of the pieces that are lost and sent again ``RETRANSMIT`` later, as TCP does."""


class TcpFaultProxy:
    """Made and ended in the loop that it runs in."""

    def __init__(self, to: HostPort, condition: Impairment, draw: random.Random) -> None:
        self._to, self._condition, self._draw = to, condition, draw
        self._tasks: set[asyncio.Task[None]] = set()
        """One a connection."""
        self._accepting: asyncio.Task[None] | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind((_HOST, 0))
        self.place: HostPort = (_HOST, self._socket.getsockname()[1])
        """Where to connect instead."""
        if not condition.refuses:  # bound and not listening: the kernel refuses
            self._socket.listen(1024)
            self._socket.setblocking(False)
            self._accepting = asyncio.create_task(self._accept())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, peer = await loop.sock_accept(self._socket)
            self._start(self._serve(connection, peer[0]))

    async def _serve(self, connection: socket.socket, caller: str) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            if not self._condition.passes:
                await reader.read()  # until the caller gives up
                return
            ip, port = self._to
            onward = await asyncio.open_connection(ip, port, local_addr=(caller, 0))
            try:
                await self._both(reader, writer, *onward)
            finally:
                await _closed(onward[1])
        except OSError:
            pass  # either end is gone; the other sees its connection end, as it should
        finally:
            await _closed(writer)

    async def _both(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        onward: asyncio.StreamWriter,
    ) -> None:
        """Until either side closes: what comes after that is of no use to HTTP."""
        ways = [
            asyncio.create_task(self._carry(reader, onward, self._condition.delay)),
            asyncio.create_task(self._carry(answers, writer, 0.0)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float
    ) -> None:
        """Piece by piece, in order; a piece that is under way does not keep the next from being
        taken up, so a delay costs time and no throughput."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)

        async def take() -> None:
            while data := await reader.read(_CHUNK):
                await under_way.put((loop.time() + delay + self._lost(), data))
            await under_way.put((loop.time() + delay, b""))

        async def give() -> None:
            while True:
                at, data = await under_way.get()
                await asyncio.sleep(max(0.0, at - loop.time()))
                if not data:
                    return
                writer.write(data)
                await writer.drain()

        taking = asyncio.create_task(take())
        try:
            await give()
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    def _lost(self) -> float:
        """Seconds until a piece arrives that may be lost several times."""
        seconds = 0.0
        while self._draw.random() < self._condition.loss:
            seconds += RETRANSMIT
        return seconds

    async def close(self, last: float = LAST) -> None:
        """Take no more connections; give those that pass ``last`` seconds to finish; end the rest.

        Whoever used them must have been told another way before. Safe to call twice.
        """
        if self._accepting is not None:
            self._accepting.cancel()
        self._socket.close()
        if self._tasks and self._condition.passes and last:
            await asyncio.wait(self._tasks, timeout=last)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
