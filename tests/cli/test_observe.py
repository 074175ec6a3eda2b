"""``observe`` on this machine: a real Prometheus that leaves nothing, however it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from meshproof.telemetry import prometheus_process
from meshproof.telemetry.prometheus_queries import Prometheus
from tests.cli.conftest import Cli
from tests.fakes.mesh import FakeMesh

pytestmark = pytest.mark.long


needs_prometheus = pytest.mark.skipif(
    prometheus_process.binary() is None,
    reason="no prometheus on this machine (Debian: apt install prometheus)",
)
Observed = tuple[subprocess.Popen[str], str, Path]


@pytest.fixture
def observed(fake: FakeMesh) -> Iterator[Observed]:
    """The command as a process, where Prometheus is, and the mesh's run folder."""
    argv = [sys.executable, "-m", "meshproof.cli", "observe", "-o", "json", "--name", "shop"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        text += line
    assert fake.folder is not None
    yield process, json.loads(text)["prometheus"], fake.folder
    process.kill()
    process.communicate()


def answers(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname, parts.port)) == 0


@needs_prometheus
def test_control_c_ends_it_and_its_data(
    observed: Observed, until: Callable[[Callable[[], object], str], None]
) -> None:
    process, url, folder = observed
    assert urlsplit(url).hostname == "127.0.0.1"
    assert Prometheus(url).query("vector(7)")[0].value == 7
    assert list(folder.glob("prometheus-*"))
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=300)
    assert "Prometheus has ended, and its data with it" in error
    assert process.returncode == 0
    assert not answers(url)
    assert not list(folder.glob("prometheus-*"))


@needs_prometheus
def test_it_dies_with_whoever_started_it(
    observed: Observed, until: Callable[[Callable[[], object], str], None]
) -> None:
    process, url, _ = observed
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not answers(url), "Prometheus is gone")


def test_without_one_it_is_said_how_to_get_one(
    fake: FakeMesh, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS", "/nowhere/prometheus")
    done = cli("observe")
    assert done.code == 1
    assert "prometheus is not installed" in done.err
