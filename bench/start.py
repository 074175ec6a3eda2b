"""From nothing to the first verified answer: by the library and by the command line.

Each in a fresh process, so Python's start and every import are in the figure. Verified means 200
and a payment with a version of svcb in it, through the gateway.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from bench.command import CommandLine
from bench.figures import Figure, Part, at_most
from bench.load import ROOT, LoadError, answered

TIMES = 5
PAY_VERIFIED = '"svcb_version":"v0.'


def measure() -> Part:
    library = [_by_library() for _ in range(TIMES)]
    whole = [end - begin for begin, _, end in library]
    from_up = [end - up for _, up, end in library]
    command = [_by_command() for _ in range(TIMES)]
    note = f"median of {TIMES} fresh processes"
    return Part(
        "start, suite with 4 workloads",
        [
            Figure(
                "library: process start to first answer", _median(whole), "s", at_most(1.0), note
            ),
            Figure("library: up() to first answer", _median(from_up), "s", at_most(1.0), note),
            Figure("meshproof up -d to first answer", _median(command), "s", at_most(1.0), note),
        ],
        {"library": whole, "library_from_up": from_up, "command": command},
    )


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _by_library() -> tuple[float, float, float]:
    """Start of the process, call of ``up``, first answer; on the machine's monotonic clock."""
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "bench.start"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode != 0:
        raise LoadError(f"the measured process failed: {done.stderr.strip()}")
    figures = json.loads(done.stdout)
    return begin, figures["up"], figures["answered"]


def _by_command() -> float:
    """``meshproof up -d`` from start to exit, and the first answer after it.

    Asking for the gateway's address takes another command, which is left out.
    """
    with CommandLine("start") as meshproof:
        begin = time.monotonic()
        meshproof.run("up", "-d")
        up = time.monotonic() - begin
        url = meshproof.run("url", "gateway").strip()
        begin = time.monotonic()
        answered(f"{url}/pay", PAY_VERIFIED)
        return up + time.monotonic() - begin


def child() -> None:
    """What is measured: a program that brings the mesh up and asks it."""
    import http.client  # noqa: F401, PLC0415 - before the clock; ``answered`` uses it

    from bench import suite  # noqa: PLC0415 - its imports belong to the measured start

    up = time.monotonic()
    with suite.running(suite.project(), "start") as mesh:
        answered(f"{mesh.url('gateway')}/pay", PAY_VERIFIED)
        print(json.dumps({"up": up, "answered": time.monotonic()}))


if __name__ == "__main__":
    child()
