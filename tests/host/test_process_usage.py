"""Processor time and memory of a session of processes, against real ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from meshproof.host.process_usage import ProcessUsage, measure_sessions

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
    usage = measure_sessions([busy])[busy]
    assert 0.29 <= usage.cpu_seconds < 5
    assert usage.memory_bytes > 2 * (64 << 20)


def test_what_has_ended_uses_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], start_new_session=True) as ended:
        ended.wait()
    assert measure_sessions([ended.pid]) == {ended.pid: ProcessUsage(0.0, 0)}


def test_the_processor_time_of_an_app_is_that_of_its_session() -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c',"
        " 'import time\\nwhile time.process_time() < 0.1: pass\\nprint(1, flush=True);input()'],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print('busy', flush=True); input(); child.kill()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    ) as leader:  # fmt: skip
        assert leader.stdout is not None
        assert leader.stdin is not None
        leader.stdout.readline()
        usage = measure_sessions([leader.pid, 999_999_999])
        leader.stdin.write(b"\n")
    assert usage[leader.pid].cpu_seconds >= 0.09  # of its child, in hundredths
    assert usage[999_999_999].cpu_seconds == 0
