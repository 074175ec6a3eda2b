"""The span store forwards what it gets, and knows whose spans it had no room for."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from meshproof.cluster.assets.span_store import Forwarder, Store


def test_the_span_store_passes_reports_on(
    until: Callable[[Callable[[], object], str], None],
) -> None:
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(500 if len(received) == 1 else 202)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        forwarder = Forwarder(f"http://127.0.0.1:{server.server_port}/api/v2/spans")
        for body in (b"[1]", b"[2]"):
            forwarder.add(body)
        until(lambda: received == [b"[1]", b"[2]"], "both came, though the first was refused")
        server.shutdown()


def test_reports_that_were_dropped_are_counted_for_their_runs() -> None:
    store = Store(limit=100)
    for run_id in ("r1", "r2", "r2", "r2"):
        store.add(b'[{"id": "1", "tags": {"run_id": "%s"}}]' % run_id.encode())
    assert (store.dropped("r1"), store.dropped("r2"), len(store.of_run("r2"))) == (1, 1, 2)
