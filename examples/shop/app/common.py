"""What the four services share: a JSON server, JSON calls, and headers that are handed on."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_HANDED_ON = ("x-request-id", "traceparent", "tracestate", "b3", "x-run-id")
_B3 = "x-b3-"
TIMEOUT = 5.0
"""Seconds that a call to another service may take."""

Headers = Mapping[str, str]
Handler = Callable[[str, Mapping[str, str], Headers], tuple[int, Any]]
"""Path, query and headers in; status and JSON out."""


def serve(handle: Handler) -> None:
    """Answer GET and POST at ``LISTEN`` (``host:port``) until the process is ended."""

    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/healthz":
                return self._answer(200, {"ok": True})
            try:
                status, body = handle(url.path, dict(parse_qsl(url.query)), dict(self.headers))
            except Failed as failed:
                status, body = failed.status, {"error": str(failed)}
            return self._answer(status, body)

        def do_POST(self) -> None:
            return self.do_GET()

        def _answer(self, status: int, body: Any) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length:
                self.rfile.read(length)
            data = json.dumps(body).encode() + b"\n"
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    host, _, port = os.environ["LISTEN"].rpartition(":")
    ThreadingHTTPServer((host, int(port)), Server).serve_forever()


class Failed(Exception):
    """A call that came to nothing; ``status`` is what to tell one's own caller."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def call(url: str, headers: Headers, method: str = "GET", extra: Headers | None = None) -> Any:
    """The JSON that a service answers. Raises Failed for anything but 200."""
    forwarded = {
        k: v for k, v in headers.items() if k.lower() in _HANDED_ON or k.lower()[:5] == _B3
    }
    request = urllib.request.Request(url, headers={**forwarded, **(extra or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Failed(502, f"{url} answered {error.code}") from None
    except (OSError, ValueError) as error:
        raise Failed(502, f"{url}: {error}") from None
