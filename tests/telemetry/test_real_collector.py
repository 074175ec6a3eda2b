"""Copies of spans go through a real OpenTelemetry Collector, and arrive unchanged.

The collector is a binary that ``OTELCOL`` names, or ``otelcol`` on the path; without one these
tests are skipped. Any distribution has what it needs: the receiver ``otlp``, the exporter
``otlphttp``, and the providers ``file`` and ``env``.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from meshproof.telemetry import otlp
from tests.fakes.span_bodies import by_hand, payment
from tests.fakes.span_report import forward_report
from tests.fakes.until import until

pytestmark = pytest.mark.long

CONFIG = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
exporters:
  otlphttp: {{endpoint: "{receiver}", encoding: json, compression: none}}
service:
  pipelines: {{traces: {{receivers: [otlp], exporters: [otlphttp]}}}}
  telemetry: {{metrics: {{level: none}}}}
"""


class Receiver(ThreadingHTTPServer):
    """Keeps the bodies of OTLP's JSON that the collector exports."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []

    @property
    def spans(self) -> list[dict[str, Any]]:
        return [span for body in self.bodies for span in otlp.read(body, as_json=True)]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if isinstance(self.server, Receiver) and self.path == "/v1/traces":
            self.server.bodies.append(body)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def collector(receiver: Receiver, tmp_path: Path) -> Iterator[str]:
    """The address at which a running collector takes OTLP over HTTP, on loopback alone."""
    program = os.environ.get("OTELCOL") or shutil.which("otelcol")
    if program is None:
        pytest.skip("no OpenTelemetry Collector here; name one in OTELCOL")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(port=port, receiver=f"http://127.0.0.1:{receiver.server_port}"))
    log = tmp_path / "log"
    command = [program, "--config", str(config)]
    with (
        log.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        try:
            until(lambda: process.poll() is not None or listens(port), "the collector", within=300)
            assert process.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_every_span_arrives_exactly(collector: str, receiver: Receiver) -> None:
    forward_report("OTEL_EXPORTER_OTLP_ENDPOINT", collector, within=300)
    until(lambda: len(receiver.spans) == len(payment(7)) + 1, "the export", within=300)
    assert json.loads(receiver.bodies[0])["resourceSpans"], "it speaks OTLP's JSON"
    arrived = {s["id"]: s for s in receiver.spans}
    by_person = by_hand(traceId="b" * 32)
    person = arrived.pop(by_person["id"])
    assert {k: person[k] for k in ("traceId", "name", "timestamp", "duration")} == {
        k: by_person[k] for k in ("traceId", "name", "timestamp", "duration")
    }
    expected = {
        s.span_id: (s.parent_id, s.kind, s.service, round(s.start * 1e6), round(s.duration * 1e6))
        for s in payment(7)
    }
    spans = {
        id_: (
            s.get("parentId", ""), s["kind"], s["localEndpoint"]["serviceName"],
            s["timestamp"], s["duration"],
        )
        for id_, s in arrived.items()
    }  # fmt: skip
    assert spans == expected
    assert all(s.tags.items() <= arrived[s.span_id]["tags"].items() for s in payment(7))
