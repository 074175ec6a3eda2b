"""Processor time and memory of a session of processes, against real ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from meshproof.embedded.telemetry.process_usage import usage

_BUSY = (
    "import os, sys, time\n"
    "kept = bytearray(64 << 20)\n"
    "if os.fork() == 0:\n"
    "    more = bytearray(64 << 20)\n"
    "    while time.process_time() < 0.3: pass\n"
    "    print('used', flush=True); sys.stdin.read(); os._exit(0)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture
def busy() -> Iterator[int]:
    """A process that leads a session; its child has used 0.3 s and holds 64 MiB of its own."""
    command = [sys.executable, "-c", _BUSY]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"used\n"
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


def test_a_leader_counts_with_all_of_its_session(busy: int) -> None:
    (found,) = usage({"svca-1": busy})
    assert (found.name, found.part) == ("svca-1", "app")
    assert 0.29 <= found.cpu_seconds < 5
    assert found.memory_bytes > 2 * (64 << 20)


def test_names_say_whose_and_which_part(busy: int) -> None:
    names = ("svca-1.envoy", "outside.msgd.test", "istio-ingressgateway.envoy")
    found = [usage({name: busy})[0] for name in names]
    assert [(u.name, u.part) for u in found] == [
        ("svca-1", "sidecar"),
        ("msgd.test", "app"),
        ("gateway", "sidecar"),
    ]


def test_what_has_ended_uses_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], start_new_session=True) as ended:
        ended.wait()
    (found,) = usage({"svca-1": ended.pid})
    assert (found.cpu_seconds, found.memory_bytes) == (0.0, 0)
