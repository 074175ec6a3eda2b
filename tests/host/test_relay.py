"""The relay: bytes both ways, half-closed ends, and a reset that ends both."""

from __future__ import annotations

import asyncio
import socket
import struct
from functools import partial

from meshproof.host import relay

LIMIT = 300.0


async def _relay_to(upstream: asyncio.Server) -> tuple[asyncio.Server, tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    ip, port = upstream.sockets[0].getsockname()
    server = await relay.serve(listener, partial(asyncio.open_connection, ip, port))
    return server, listener.getsockname()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers once its caller has closed its half."""
    writer.write((await reader.read()).upper())
    writer.close()


async def _reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


def test_an_answer_comes_after_the_caller_has_closed_its_half() -> None:
    async def script() -> None:
        upstream = await asyncio.start_server(_answer, "127.0.0.1", 0)
        server, place = await _relay_to(upstream)
        reader, writer = await asyncio.open_connection(*place)
        writer.write(b"hello")
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), LIMIT) == b"HELLO"
        writer.close()
        server.close()
        upstream.close()

    asyncio.run(script())


def test_a_reset_reaches_the_caller() -> None:
    async def script() -> None:
        upstream = await asyncio.start_server(_reset, "127.0.0.1", 0)
        server, place = await _relay_to(upstream)
        reader, writer = await asyncio.open_connection(*place)
        assert await asyncio.wait_for(reader.read(), LIMIT) == b""
        writer.close()
        server.close()
        upstream.close()

    asyncio.run(script())


def test_a_caller_of_nobody_is_disconnected() -> None:
    async def script() -> None:
        upstream = await asyncio.start_server(_answer, "127.0.0.1", 0)
        server, place = await _relay_to(upstream)
        upstream.close()
        await upstream.wait_closed()
        reader, writer = await asyncio.open_connection(*place)
        assert await asyncio.wait_for(reader.read(), LIMIT) == b""
        writer.close()
        server.close()

    asyncio.run(script())
