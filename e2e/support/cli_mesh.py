"""The session's mesh with a control socket, for proofs that use the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from meshproof.control.served_mesh import ServedMesh
from meshproof.control.server import ControlServer
from meshproof.host import registry
from meshproof.mesh import Mesh

WITHIN = 600.0
"""Seconds that a command may take: on a cluster a release does, where a change takes seconds."""


@dataclass(frozen=True, slots=True)
class Cli:
    """The command ``meshproof``, on one mesh."""

    mesh: str

    @contextmanager
    def start(self, *argv: str) -> Iterator[subprocess.Popen[str]]:
        """A running command, with standard error merged into its output; killed at the end."""
        with subprocess.Popen(
            [sys.executable, "-m", "meshproof.cli", *argv],
            env={**os.environ, "MESHPROOF_NAME": self.mesh, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *argv: str) -> tuple[int, str]:
        """Exit code and output."""
        with self.start(*argv) as process:
            output, _ = process.communicate(timeout=WITHIN)
        return process.returncode, output


def wait_for_output(process: subprocess.Popen[str], text: str) -> None:
    """Return when a line of the output has ``text``; fail with the output where none has."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return
    raise AssertionError(f"{text!r} is not in the output:\n{''.join(lines)}")


@contextmanager
def serve(mesh: Mesh) -> Iterator[Cli]:
    """Serve a mesh that is up under its name, for as long as the block runs."""
    served = cast("ServedMesh", mesh)  # what make_mesh returns is one
    server = ControlServer(served, lambda: None)
    entry = registry.reserve(mesh.name)
    try:
        server.start(served.control_socket)
        registry.publish(
            replace(
                entry,
                run_id=served.run_id,
                run_dir=str(served.run_dir),
                control_socket=str(served.control_socket),
            )
        )
        yield Cli(mesh.name)
    finally:
        server.close()
        registry.release(mesh.name)
        Path(served.control_socket).unlink(missing_ok=True)
