"""Copies of spans arrive at a real Jaeger, by Zipkin's protocol and by OTLP, and are read back from
its query API exactly. Without the program these tests are skipped."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from tests.fakes.span_bodies import payment
from tests.fakes.span_report import forward_report
from tests.fakes.until import until

pytestmark = pytest.mark.long

CONFIG = """
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{receivers: [otlp, zipkin], exporters: [jaeger_storage_exporter]}}
  telemetry: {{metrics: {{level: none}}}}
extensions:
  jaeger_storage:
    backends: {{kept: {{memory: {{max_traces: 100}}}}}}
  jaeger_query:
    storage: {{traces: kept}}
    http: {{endpoint: "127.0.0.1:{query}"}}
    grpc: {{endpoint: "127.0.0.1:{grpc}"}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}
  zipkin: {{endpoint: "127.0.0.1:{zipkin}"}}
exporters:
  jaeger_storage_exporter: {{trace_storage: kept}}
"""
PORTS = ("query", "grpc", "otlp", "zipkin")


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, int]]:
    """The ports of a running Jaeger, on loopback alone, which keeps spans in memory."""
    program = os.environ.get("JAEGER") or shutil.which("jaeger")
    if program is None:
        pytest.skip("no Jaeger (2, one program) here; name one in JAEGER")
    folder = tmp_path_factory.mktemp("jaeger")
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in PORTS]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        ports = {n: p.getsockname()[1] for n, p in zip(PORTS, probes, strict=True)}
    (folder / "config.yaml").write_text(CONFIG.format(**ports))
    log = folder / "log"
    command = [program, "--config", str(folder / "config.yaml")]
    with (
        log.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        try:
            until(
                lambda: process.poll() is not None or all(map(listens, ports.values())),
                "Jaeger",
                within=300,
            )
            assert process.poll() is None, log.read_text()
            yield ports
        finally:
            process.terminate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def read_spans(query: int, trace_id: str, size: int) -> dict[str, Any]:
    """Of a trace, once all of them are stored, by their ids: parent, kind, service, start and
    duration in microseconds, and tags."""
    spans: dict[str, Any] = {}

    def stored() -> bool:
        url = f"http://127.0.0.1:{query}/api/traces/{trace_id}"
        try:
            with urllib.request.urlopen(url, timeout=300) as response:
                (trace,) = json.load(response)["data"]
        except urllib.error.HTTPError:  # not stored yet
            return False
        services = {key: p["serviceName"] for key, p in trace["processes"].items()}
        spans.update({s["spanID"]: _describe(s, services) for s in trace["spans"]})
        return len(spans) == size

    until(stored, f"{size} spans in Jaeger", within=300)
    return spans


def _describe(span: Any, services: Mapping[str, str]) -> Any:
    tags = {tag["key"]: str(tag["value"]) for tag in span["tags"]}
    parents = [r["spanID"] for r in span["references"] if r["refType"] == "CHILD_OF"]
    identity = (
        *("".join(parents), tags.get("span.kind", "").upper(), services[span["processID"]]),
        *(span["startTime"], span["duration"]),
    )
    return identity, tags


@pytest.mark.parametrize(
    ("variable", "receiver", "trace"),
    [("ZIPKIN_URL", "zipkin", 7), ("OTEL_EXPORTER_OTLP_ENDPOINT", "otlp", 8)],
)
def test_a_trace_is_read_back_exactly(
    jaeger: Mapping[str, int], variable: str, receiver: str, trace: int
) -> None:
    forward_report(variable, f"http://127.0.0.1:{jaeger[receiver]}", within=300, trace=trace)
    spans = read_spans(jaeger["query"], f"{trace:032x}", len(payment(trace)))
    wanted = {
        s.span_id: (s.parent_id, s.kind, s.service, round(s.start * 1e6), round(s.duration * 1e6))
        for s in payment(trace)
    }
    assert {span_id: identity for span_id, (identity, _tags) in spans.items()} == wanted
    assert all(s.tags.items() <= spans[s.span_id][1].items() for s in payment(trace))
