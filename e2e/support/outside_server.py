"""A server outside the mesh that says what it was asked: on a plain port and on a TLS port."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.support.certificates import Pair
from e2e.support.http_server import Handler, serve


class _Echo(Handler):
    protocol_version = "HTTP/1.1"

    def respond(self) -> None:
        secure = isinstance(self.connection, ssl.SSLSocket)
        client = (
            self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        )
        request = {
            "tls": secure,
            "client": bool(client),
            "host": self.headers["host"],
            "path": self.path,
            "xfcc": self.headers.get("x-forwarded-client-cert", ""),
        }
        self.answer(json.dumps(request).encode())


@contextmanager
def outside_server(
    ip: str, pair: Pair, folder: Path, *, clients: str = ""
) -> Iterator[tuple[int, int]]:
    """The plain port and the TLS port at ``ip``. ``clients`` is the authority (PEM) that signs the
    certificates which clients must show; none need one by default."""
    context = pair.server_context(folder)
    if clients:
        context.load_verify_locations(cadata=clients)
        context.verify_mode = ssl.CERT_REQUIRED
    with serve(_Echo, ip=ip) as plain, serve(_Echo, ip=ip, tls=context) as secure:
        yield plain, secure
