"""The session's mesh with its control socket, for proofs that go by the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from meshproof.control.protocols import ServedMesh
from meshproof.control.server import ControlServer
from meshproof.host import registry
from meshproof.mesh import Mesh


@dataclass(frozen=True, slots=True)
class Cli:
    """``meshproof`` as its users call it, on one mesh."""

    mesh: str

    @contextmanager
    def started(self, *argv: str) -> Iterator[subprocess.Popen[str]]:
        """A call that is under way; its standard error is among its output. Killed at the end."""
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
        with self.started(*argv) as process:
            output, _ = process.communicate(timeout=120)
        return process.returncode, output


def says(process: subprocess.Popen[str], text: str) -> None:
    """Return when a line of the output has ``text``; fail with the output when it ends before."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if text in line:
            return
    raise AssertionError(f"it never said {text!r} but\n{''.join(said)}")


@contextmanager
def served(mesh: Mesh) -> Iterator[Cli]:
    """Serve a mesh that is up under its name, for as long as the block runs."""
    by_name = cast("ServedMesh", mesh)  # what make_mesh makes is one
    server = ControlServer(by_name, lambda: None)
    entry = registry.reserve(mesh.name)
    try:
        server.start(by_name.control_socket)
        registry.publish(
            replace(
                entry,
                run_id=by_name.run_id,
                run_dir=str(by_name.run_dir),
                control_socket=str(by_name.control_socket),
            )
        )
        yield Cli(mesh.name)
    finally:
        server.close()
        registry.release(mesh.name)
        Path(by_name.control_socket).unlink(missing_ok=True)
