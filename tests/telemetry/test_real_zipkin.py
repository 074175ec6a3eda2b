"""Copies of spans arrive at Zipkin's own server, and are read back from it exactly.

The server is its executable jar, as Maven fetches it; without it, or without Java, these tests are
skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.span_bodies import by_hand, payment
from tests.fakes.span_report import forward_report
from tests.fakes.until import until

pytestmark = pytest.mark.long

ARTIFACT = "io.zipkin:zipkin-server:3.5.1:jar:exec"
HOW = f"mvn dependency:get -Dartifact={ARTIFACT} -Dtransitive=false"
PLACE = ".m2/repository/io/zipkin/zipkin-server/3.5.1/zipkin-server-3.5.1-exec.jar"
START = 300.0
"""Seconds that a Java server may take to start on a loaded machine."""


@pytest.fixture(scope="module")
def zipkin() -> Iterator[str]:
    """The address of a running Zipkin, on loopback alone, which keeps spans in memory."""
    jar = Path(os.environ.get("ZIPKIN_JAR") or Path.home() / PLACE)
    java = shutil.which("java")
    if java is None or not jar.exists():
        pytest.skip(f"Zipkin's server cannot be had here; it takes Java, and: {HOW}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ports = [f"--armeria.ports[0].{k}={v}" for k, v in (("ip", "127.0.0.1"), ("port", port))]
    command = [java, "-Xmx256m", "-jar", str(jar), *ports, "--armeria.ports[0].protocols[0]=http"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            until(lambda: process.poll() is not None or is_up(address), "Zipkin", within=START)
            assert process.poll() is None, "Zipkin has ended"
            yield address
        finally:
            process.terminate()


def is_up(address: str) -> bool:
    try:
        return bool(get(f"{address}/health")["status"] == "UP")
    except (urllib.error.URLError, ConnectionError):
        return False


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=300) as response:
        return json.load(response)


def read_trace(address: str, trace_id: str, size: int) -> list[Any]:
    """The spans of a trace, once all of them are stored."""
    trace: list[Any] = []

    def stored() -> bool:
        try:
            trace[:] = get(f"{address}/api/v2/trace/{trace_id}")
        except urllib.error.HTTPError:  # not stored yet
            return False
        return len(trace) == size

    until(stored, f"{size} spans in Zipkin", within=START)
    return trace


def test_a_trace_is_read_back_exactly(zipkin: str) -> None:
    forward_report("ZIPKIN_URL", zipkin, within=20)
    trace = read_trace(zipkin, f"{7:032x}", len(payment(7)))
    wanted = {
        s.span_id: (s.parent_id, s.kind, s.service, round(s.start * 1e6), round(s.duration * 1e6))
        for s in payment(7)
    }
    spans = {
        s["id"]: (
            s.get("parentId", ""), s["kind"], s["localEndpoint"]["serviceName"],
            s["timestamp"], s["duration"],
        )
        for s in trace
    }  # fmt: skip
    assert spans == wanted
    tags = {s["id"]: s["tags"] for s in trace}
    assert all(s.tags.items() <= tags[s.span_id].items() for s in payment(7))


def test_a_span_by_hand_arrives_too(zipkin: str) -> None:
    forward_report("ZIPKIN_URL", zipkin, within=20)
    sent = by_hand(traceId="b" * 32)
    (span,) = read_trace(zipkin, "b" * 32, 1)
    assert {k: span[k] for k in ("traceId", "id")} == {k: sent[k] for k in ("traceId", "id")}
