"""HTTP client for one Unix socket or address: probes, scrapes, Envoy's admin. Never proxied."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import aiohttp

from meshproof.embedded.sandbox import SocketFactory
from meshproof.translate.world import Address


class LocalClient:
    """A client of one local listener. Use it in the event loop that created it.

    ``make_socket`` makes the sockets where ``address`` is not one of this network namespace.
    """

    def __init__(
        self, address: Address, timeout: float = 5.0, make_socket: SocketFactory | None = None
    ) -> None:
        self._address = address
        host = address.ip or "localhost"
        self._base = f"http://{host}:{address.port}" if address.port else f"http://{host}"
        connector: aiohttp.BaseConnector
        if address.path:
            connector = aiohttp.UnixConnector(address.path)
        else:
            factory = None if make_socket is None else (lambda _info: make_socket())
            connector = aiohttp.TCPConnector(socket_factory=factory)
        self._limit = timeout
        self._session = aiohttp.ClientSession(connector=connector, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def get(
        self, path: str, headers: dict[str, str] | None = None, timeout: float | None = None
    ) -> tuple[int, bytes]:
        """Status and body. Raises OSError (aiohttp's errors are) or TimeoutError."""
        if self._session.closed:  # aiohttp raises a RuntimeError
            raise OSError("it has ended")
        limit = aiohttp.ClientTimeout(total=timeout or self._limit)
        try:
            async with self._session.get(
                self._base + path, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                return response.status, await response.read()
        except aiohttp.ClientError as error:
            raise OSError(str(error)) from error

    async def close(self) -> None:
        await self._session.close()
