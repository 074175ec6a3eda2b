"""Whether this machine allows pods. As a command: why not, and exit code 1."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

import pytest

from meshproof.mesh import Mesh

ROOT = Path(__file__).parents[2]
_TRY = """
import sys
sys.path.insert(0, sys.argv[1])
from meshproof.host.pod_namespaces import PodNamespaces
try:
    PodNamespaces(capture_port=1, dns_port=2, mesh_handle=100)
except OSError as error:
    print(error)
"""


def require_no_pods(mesh: Mesh) -> None:
    """Skip a proof of what holds only where replicas are in the machine's own namespaces."""
    if getattr(mesh, "in_pods", False):
        pytest.skip("about a mesh without pods")


def require_pods(mesh: Mesh) -> None:
    """Skip a proof of what only a pod's network namespace does: on a cluster, and in pods here."""
    if mesh.status().kind == "embedded" and not getattr(mesh, "in_pods", False):
        pytest.skip("about pods, and this mesh has none: see test_security_limits.py")


@functools.cache
def no_pods() -> str:
    """Why not; empty where it does."""
    command = [sys.executable, "-I", "-S", "-c", _TRY, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return done.stdout.strip()


if __name__ == "__main__":
    print(reason := no_pods())
    sys.exit(bool(reason))
