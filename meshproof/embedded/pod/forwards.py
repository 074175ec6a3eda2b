"""Ports of a pod on this machine's loopback: relays, each opened when it is first asked for."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

from meshproof.embedded.sandbox import SocketFactory
from meshproof.host import relay
from meshproof.host.addresses import real_port
from meshproof.translate.world import Address, ContainerPort


class Forwards:
    """Of one replica; ``ip`` is an address of this machine that is the replica's alone."""

    def __init__(self, ip: str) -> None:
        self._ip = ip
        self._servers: dict[object, asyncio.Server] = {}
        self._addresses: dict[object, Address] = {}

    async def open_listener(self, port: ContainerPort) -> Address:
        """The sidecar's listener for a container port."""
        to = partial(asyncio.open_unix_connection, port.pipe)
        return await self._open(port.pipe, port.port, to)

    async def open_app(
        self, port: int, address: Address, make_socket: SocketFactory | None
    ) -> Address:
        """The app itself at ``address``, which is in a pod if ``make_socket`` is given."""
        if address.path:
            return await self._open(port, port, partial(asyncio.open_unix_connection, address.path))
        if make_socket is None:
            return address
        return await self._open(
            port, port, partial(relay.connect, make_socket, address.ip, address.port)
        )

    async def _open(self, key: object, port: int, to: relay.Connect) -> Address:
        """Where ``to`` is reached, preferably at ``port``; ``key`` says what it is."""
        if key not in self._addresses:
            listener = socket.create_server((self._ip, real_port(self._ip, port)), backlog=1024)
            self._addresses[key] = Address(ip=self._ip, port=listener.getsockname()[1])
            listener.setblocking(False)
            self._servers[key] = await relay.serve(listener, to)
        return self._addresses[key]

    def close(self) -> None:
        """The replica ends; connections that are open stay as long as it does."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        self._addresses.clear()
