"""A throwaway HTTP server that answers as it is told, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

IP = "127.0.78.1"


class Backend:
    """``answer`` is (status, body), or "close" for no answer at all, or "hang" until the end.
    So many answers as ``broken`` says break off in their body before."""

    def __init__(self) -> None:
        self.answer: tuple[int, Any] | str = (200, {})
        self.broken = 0
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.over = threading.Event()
        self.url = ""

    @property
    def query(self) -> dict[str, str]:
        """Of the last request."""
        return {k: v[0] for k, v in parse_qs(urlsplit(self.paths[-1]).query).items()}


@contextlib.contextmanager
def serve() -> Iterator[Backend]:
    backend = Backend()
    server = ThreadingHTTPServer((IP, 0), _handler(backend))
    server.daemon_threads = False
    backend.url = f"http://{IP}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield backend
    finally:
        backend.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(backend: Backend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            backend.paths.append(self.path)
            backend.headers.append({k.lower(): v for k, v in self.headers.items()})
            if backend.answer == "hang":
                backend.over.wait()
            if isinstance(backend.answer, str):
                return  # HTTP/1.0: the connection closes
            status, body = backend.answer
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if backend.broken:
                backend.broken -= 1
                content = content[:1]
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
