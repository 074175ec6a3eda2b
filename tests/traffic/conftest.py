"""A tiny /pay on loopback, so that loads are tested without a mesh."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

LOCUSTFILE = Path(__file__).parents[2] / "e2e" / "payments" / "locustfile.py"

CUTS = ("no body", "half a body")
"""Troubles in which the connection ends after the status, before the promised body is complete."""


class PayServer(ThreadingHTTPServer):
    """Answers /pay; remembers each request's headers. ``trouble`` maps request number to a way."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[dict[str, str]] = []
        self.trouble: dict[int, str] = {}
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write an answer: two would wait for a delayed acknowledgement
    server: PayServer

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.seen.append({k.lower(): v for k, v in self.headers.items()})
            number = len(self.server.seen)
        trouble = self.server.trouble.get(number, "")
        if trouble == "close":
            self.close_connection = True
            return
        body = b"strange" if trouble == "body" else _answer(number)
        self.send_response(503 if trouble == "status" else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if trouble in CUTS:
            body = body[: len(body) * CUTS.index(trouble) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name upstream)
        pass


def _answer(number: int) -> bytes:
    answer = {
        "payment_id": f"p{number}", "paid": True, "notified": number % 2 == 0,
        "reason": None if number % 2 == 0 else "refused", "message_id": f"m{number}",
        "svcb_version": f"v0.{1 + number % 2}", "trace_id": f"{number:016x}",
    }  # fmt: skip
    return json.dumps(answer).encode()


@pytest.fixture
def server() -> Iterator[PayServer]:
    with PayServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
