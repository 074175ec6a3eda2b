"""A server outside the mesh that says what it was asked: on a plain port and on a TLS port."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from e2e.support.certificates import Pair


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
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
        body = json.dumps(request).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def outside_server(
    ip: str, pair: Pair, folder: Path, *, clients: str = ""
) -> Iterator[tuple[int, int]]:
    """The plain port and the TLS port at ``ip``. ``clients`` is the authority (PEM) that signs the
    certificates which clients must show; none need one by default."""
    chain, key = folder / "server.pem", folder / "server.key"
    chain.write_text(pair.chain)
    key.write_text(pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    if clients:
        context.load_verify_locations(cadata=clients)
        context.verify_mode = ssl.CERT_REQUIRED
    plain, secure = ThreadingHTTPServer((ip, 0), _Echo), ThreadingHTTPServer((ip, 0), _Echo)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    for server in (plain, secure):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield plain.server_address[1], secure.server_address[1]
    finally:
        for server in (plain, secure):
            server.shutdown()
            server.server_close()
