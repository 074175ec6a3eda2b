"""The life of a dashboard: listen on loopback, serve until told to end."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from meshproof.errors import UsageError

PORT = 9080
"""Tried first, so that a bookmark works; if it is taken, any free port."""


def listen(port: int) -> socket.socket:
    """A socket that listens on 127.0.0.1, for port 0 at ``PORT`` or any free port. Raises
    UsageError if another port is taken."""
    for candidate in (port,) if port else (PORT, 0):
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", candidate))
    raise UsageError(f"--port: port {port or PORT} of 127.0.0.1 is taken; choose another")


def new_token() -> str:
    return secrets.token_urlsafe(24)


def page_url(sock: socket.socket, token: str) -> str:
    """The address to open in a browser."""
    return f"http://127.0.0.1:{sock.getsockname()[1]}/?token={token}"


async def serve(
    name: str, sock: socket.socket, token: str, rules: Path, until: Callable[[], Awaitable[object]]
) -> None:
    """Serve the mesh ``name`` until ``until`` returns, or is cancelled."""
    from meshproof.dashboard.server import Server  # noqa: PLC0415  (aiohttp is slow to import)

    server = Server(name, sock, token, rules)
    try:
        await server.start()
        await until()
    finally:
        await server.close()


async def wait_forever() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()
