"""Relays connections from a listening socket to another address, byte by byte."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

_CHUNK = 1 << 16
Connect = Callable[..., Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Opens a connection to the other end. Raises OSError."""


async def connect(
    make_socket: Callable[[], socket.socket], ip: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection by a socket of another network namespace. Raises OSError."""
    client = make_socket()
    try:
        await asyncio.get_running_loop().sock_connect(client, (ip, port))
    except BaseException:
        client.close()
        raise
    return await asyncio.open_connection(sock=client)


async def serve(
    listener: socket.socket, to: Connect, *, keep_caller: bool = False
) -> asyncio.Server:
    """Relay every connection until the server is closed; one that ``to`` cannot open is closed.

    With ``keep_caller`` the other end sees the caller's own address, which must be one of this
    network namespace too: ``to`` is called with ``local_addr``.
    """

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            caller = (writer.get_extra_info("peername")[0], 0) if keep_caller else None
            upstream = await (to(local_addr=caller) if caller else to())
        except OSError:
            writer.close()
            return
        copies = [
            asyncio.create_task(_copy(reader, upstream[1])),
            asyncio.create_task(_copy(upstream[0], writer)),
        ]
        try:
            # Either end may close its half and still read; a reset ends both.
            await asyncio.wait(copies, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)
            for end in (writer, upstream[1]):
                end.close()

    if listener.family == socket.AF_UNIX:
        return await asyncio.start_unix_server(relay, sock=listener)
    return await asyncio.start_server(relay, sock=listener)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the end of the stream, which is passed on. Raises OSError for a reset."""
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
