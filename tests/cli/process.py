"""The command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from meshproof.host import registry

ROOT = Path(__file__).parents[2]


def run_process(*argv: str, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    """``meshproof ARGV`` on the mesh ``shop``."""
    return subprocess.run(
        [sys.executable, "-m", "meshproof.cli", *argv],
        cwd=ROOT,
        env={**os.environ, "MESHPROOF_NAME": "shop", **env},
        input=stdin,
        capture_output=True,
        check=False,
    )


def nothing_stays(runtime_dir: Path) -> bool:
    """No mesh is running, and no run folder is left."""
    return registry.list_running() == () and not (runtime_dir / "meshproof").exists()


def is_starting(runtime_dir: Path) -> bool:
    """Whether a fake mesh with ``FAKE="never starts"`` has got as far as it will."""
    return any(runtime_dir.glob("meshproof/*/starting"))
