"""A proxy that delays, loses or blocks what two real sockets exchange."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from meshproof.host import tcp_fault_proxy
from meshproof.host.tcp_fault_proxy import Impairment, TcpFaultProxy

CALLER = "127.0.0.77"


@asynccontextmanager
async def faulty_path(
    impairment: Impairment, peers: list[str], seed: int = 1
) -> AsyncIterator[TcpFaultProxy]:
    """A proxy to a server that answers each line with itself."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = TcpFaultProxy(server.sockets[0].getsockname()[:2], impairment, random.Random(seed))
    try:
        yield proxy
    finally:
        await proxy.close()
        server.close()
        await server.wait_closed()


async def connect(proxy: TcpFaultProxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*proxy.address, local_addr=(CALLER, 0))


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(300):
            await work()

    asyncio.run(limited())


async def exchange(proxy: TcpFaultProxy, lines: int) -> float:
    """Seconds for so many lines, one after the other."""
    loop, (reader, writer) = asyncio.get_running_loop(), await connect(proxy)
    began = loop.time()
    for number in range(lines):
        sent = f"{number}\n".encode()
        writer.write(sent)
        assert await reader.readline() == sent
    took = loop.time() - began
    writer.close()
    await writer.wait_closed()
    return took


def test_what_passes_is_whole_and_from_the_caller() -> None:
    async def work() -> None:
        peers: list[str] = []
        async with faulty_path(Impairment(), peers) as proxy:
            await exchange(proxy, 50)
            reader, writer = await connect(proxy)
            sent = (b"x" * 999 + b"\n") * 300
            writer.write(sent)
            assert await reader.readexactly(len(sent)) == sent
            writer.close()
            await writer.wait_closed()
        assert peers == [CALLER, CALLER]

    run(work)


def test_a_delay_is_added_to_each_piece_towards_the_destination() -> None:
    async def work() -> None:
        async with faulty_path(Impairment(delay=0.03), []) as proxy:
            assert await exchange(proxy, 5) >= 5 * 0.03

    run(work)


def test_a_lost_piece_comes_one_retransmission_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_fault_proxy, "RETRANSMIT", 0.02)
    draw = random.Random(1)
    lost = 0
    for _ in range(6):
        while draw.random() < 0.5:
            lost += 1

    async def work() -> None:
        async with faulty_path(Impairment(loss=0.5), [], seed=1) as proxy:
            assert await exchange(proxy, 6) >= lost * 0.02 > 0

    run(work)


def test_a_refused_connection_is_refused_and_a_cut_one_hears_nothing() -> None:
    async def work() -> None:
        peers: list[str] = []
        async with faulty_path(Impairment(refuses=True), peers) as proxy:
            with pytest.raises(ConnectionRefusedError):
                await connect(proxy)
        async with faulty_path(Impairment(passes=False), peers) as proxy:
            reader, writer = await connect(proxy)
            writer.write(b"hello\n")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readline(), 0.1)
            await proxy.close()
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        assert peers == []

    run(work)


def test_nothing_is_left_after_close() -> None:
    async def work() -> None:
        async with faulty_path(Impairment(), []) as proxy:
            address = proxy.address
            assert not isinstance(address, str)
            _, writer = await connect(proxy)
            writer.close()
            await writer.wait_closed()
            await proxy.close()
            await proxy.close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(address, 1)
            assert len(asyncio.all_tasks()) <= 2  # this test's own

    run(work)
