"""The command line, used as a user would: a process for every verb."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from bench import suite
from bench.figures import Figure, Part, at_most, percentile
from bench.load import ROOT, LoadError

TIMES = 20


class CommandLine:
    """``meshproof`` with a state folder of its own; the mesh, if one is up, ends with the block."""

    def __init__(self, name: str) -> None:
        self._state = tempfile.TemporaryDirectory(prefix="meshproof-bench-")
        self._name = f"bench-{name}-{os.getpid()}"
        self._env = {**os.environ, "MESHPROOF_STATE": self._state.name}

    def run(self, verb: str, *arguments: str) -> str:
        """What the command printed. Raises LoadError with its own words when it failed."""
        program = Path(sys.executable).with_name("meshproof")
        done = subprocess.run(
            [str(program), verb, "--name", self._name, *arguments],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=self._env,
            check=False,
        )
        if done.returncode != 0:
            raise LoadError(f"meshproof {verb} exited {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def __enter__(self) -> CommandLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.run("down")
        finally:
            self._state.cleanup()


def measure() -> Part:
    """``meshproof apply`` from start to exit, the two rules of the switch in turn."""
    seconds = []
    with CommandLine("apply") as meshproof:
        meshproof.run("up", "-d")
        meshproof.run("apply", "-f", str(suite.HALF))
        for turn in range(TIMES):
            rule = suite.HALF if turn % 2 else suite.ALL_NEW
            begin = time.monotonic()
            meshproof.run("apply", "-f", str(rule))
            seconds.append(time.monotonic() - begin)
    note = f"{TIMES} times, start to exit"
    return Part(
        "a rule by the command line",
        [
            Figure("meshproof apply, median", statistics.median(seconds), "s", at_most(0.15), note),
            Figure("meshproof apply, slowest", percentile(seconds, 100), "s", None, note),
        ],
        {"apply": seconds},
    )
