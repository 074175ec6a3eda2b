"""The name server of every pod, in the mesh process: answers from the mesh's own names.

Envoy's dns_filter would not do: it answers AAAA of a known name with NXDOMAIN, at which musl gives
up, matches case-sensitively, and knows no TCP. A name that the mesh does not know is NXDOMAIN:
nothing is ever asked outside this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from meshproof.host import dns_message as dns

_IDLE_LIMIT = 10.0
"""Seconds that a TCP client may take for its next query."""
_CLIENTS = 100
"""TCP clients of one pod at the same time; no pod may use up the mesh's open files."""
_RANDOM = random.Random()  # noqa: S311  (the order of answers is no secret)


class Names(Protocol):
    """What the mesh's names are now. Names are lower case, without the final dot."""

    def lookup(self, name: str) -> Sequence[str] | None:
        """IPv4 addresses; None where there is no such name."""

    def services(self, name: str) -> Sequence[tuple[int, str]]:
        """Port and target of each SRV record."""

    def canonical(self, name: str) -> str:
        """The name that it is an alias of, empty for any other."""


def answer(names: Names, data: bytes, *, tcp: bool = False) -> bytes:
    """The response to a query, empty where there can be none."""
    try:
        query = dns.parse_query(data)
    except dns.MalformedQuery:
        if len(data) < 12 or data[2] & 0x80:
            return b""
        return data[:2] + struct.pack("!H8x", 0x8000 | dns.FORMAT_ERROR)
    limit = None if tcp else query.limit
    if not query.standard:
        return dns.build_response(query, dns.NOT_IMPLEMENTED, limit=limit)
    code, records = _resolve(names, query)
    return dns.build_response(query, code, records, limit=limit)


def _resolve(names: Names, query: dns.Query) -> tuple[int, list[dns.Record]]:
    alias = names.canonical(query.name)
    addresses = names.lookup(alias or query.name)
    services = names.services(query.name)
    if not alias and addresses is None and not services:
        return dns.NAME_ERROR, []
    records = [dns.alias_record(alias)] if alias else []
    if query.kind == dns.A:
        shuffled = _RANDOM.sample(addresses or (), len(addresses or ()))
        records += [dns.address_record(ip, alias) for ip in shuffled]
    elif query.kind == dns.SRV:
        records += [dns.service_record(port, target) for port, target in services]
    return dns.NO_ERROR, records


class DnsServer:
    """Serves pods by the sockets that ``serve`` is given, in the running event loop."""

    def __init__(self, names: Callable[[], Names]) -> None:
        self._names = names
        self._pods: dict[str, tuple[asyncio.DatagramTransport, asyncio.Server]] = {}

    async def serve(self, pod: str, udp: socket.socket, tcp: socket.socket) -> None:
        """Both are bound, ``tcp`` listens."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self._names), sock=udp)
        free = asyncio.Semaphore(_CLIENTS)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if free.locked():
                writer.close()
                return
            async with free:
                await self._serve_tcp(reader, writer)

        server = await asyncio.start_server(serve, sock=tcp)
        self._pods[pod] = (transport, server)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client; one that never finishes its query is disconnected."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            while True:
                async with asyncio.timeout(_IDLE_LIMIT):
                    (length,) = struct.unpack("!H", await reader.readexactly(2))
                    query = await reader.readexactly(length)
                    response = answer(self._names(), query, tcp=True)
                    if not response:
                        break
                    writer.write(struct.pack("!H", len(response)) + response)
                    await writer.drain()
        writer.close()

    def forget(self, pod: str) -> None:
        """The pod ends."""
        if (sockets := self._pods.pop(pod, None)) is not None:
            transport, server = sockets
            transport.close()
            server.close()

    def close(self) -> None:
        for pod in list(self._pods):
            self.forget(pod)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, names: Callable[[], Names]) -> None:
        self._names = names

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if response := answer(self._names(), data):
            self._transport.sendto(response, address)
