"""A span store for Envoy's Zipkin tracer. Runs in the cluster, on Python's standard library alone.

POST /api/v2/spans   a JSON list of spans, chunked or not -> 202
GET  /spans?run=ID   {"spans": those whose run_id tag is ID, "dropped": how many reports with such
                     spans were dropped because the store was full}
GET  /health         200

With COPY_TO=URL each report is posted there too, in order. Where that fails or is too slow, the
copy is lost; the store keeps its own.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import queue
import re
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LIMIT = 512 * 1024 * 1024
"""Bytes of reports that are kept."""
_RUN_ID = re.compile(rb'"run_id":\s*"([^"]*)"')


class Store:
    """Keeps bodies as they were received, and parses them only for a query."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._lock = threading.Lock()
        self._bodies: collections.deque[bytes] = collections.deque()
        self._limit = limit
        self._size = 0
        self._dropped: collections.Counter[bytes] = collections.Counter()

    def add(self, body: bytes) -> None:
        with self._lock:
            self._bodies.append(body)
            self._size += len(body)
            while self._size > self._limit:
                oldest = self._bodies.popleft()
                self._size -= len(oldest)
                self._dropped.update(set(_RUN_ID.findall(oldest)))

    def dropped(self, run_id: str) -> int:
        return self._dropped[run_id.encode()]

    def of_run(self, run_id: str) -> list[object]:
        needle = run_id.encode()
        with self._lock:
            bodies = [body for body in self._bodies if needle in body]
        return [
            span
            for body in bodies
            for span in json.loads(body)
            if span.get("tags", {}).get("run_id") == run_id
        ]


class Forwarder:
    """Posts copies of reports to another collector."""

    def __init__(self, url: str, room: int = 1000) -> None:
        self._url = url
        self._queue: queue.Queue[bytes] = queue.Queue(room)
        threading.Thread(target=self._send, daemon=True).start()

    def add(self, body: bytes) -> None:
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(body)

    def _send(self) -> None:
        while True:
            body = self._queue.get()
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(self._url, body, headers)  # noqa: S310  # http, ours
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5) as copy:  # noqa: S310
                copy.read()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = Store()
    forwarder: Forwarder | None = None

    def do_POST(self) -> None:
        body = self._body()
        self.store.add(body)
        if self.forwarder is not None:
            self.forwarder.add(body)
        self._respond(202, b"")

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/health":
            self._respond(200, b"")
        elif parts.path == "/spans":
            run = parse_qs(parts.query).get("run", [""])[0]
            result = {"spans": self.store.of_run(run), "dropped": self.store.dropped(run)}
            self._respond(200, json.dumps(result).encode())
        else:
            self._respond(404, b"")

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _respond(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Logs nothing: a line a report would be a line for every request of the mesh."""


if __name__ == "__main__":
    if os.environ.get("COPY_TO"):
        Handler.forwarder = Forwarder(os.environ["COPY_TO"])
    # Python's default of 5 connections that wait to be accepted is too few on a busy node.
    ThreadingHTTPServer.request_queue_size = 1024
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()  # noqa: S104  # pod
