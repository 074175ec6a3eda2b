"""Whether this machine allows pods. As a command: why not, and exit code 1."""

from __future__ import annotations

import sys

import pytest

from meshproof.host import pod_trial
from meshproof.mesh import Mesh


def require_no_pods(mesh: Mesh) -> None:
    """Skip a proof of what holds only where replicas are in the machine's own namespaces."""
    if getattr(mesh, "in_pods", False):
        pytest.skip("about a mesh without pods")


def require_pods(mesh: Mesh) -> None:
    """Skip a proof of what only a pod's network namespace does: on a cluster, and in pods here."""
    if mesh.status().kind == "embedded" and not getattr(mesh, "in_pods", False):
        pytest.skip("about pods, and this mesh has none: see test_security_limits.py")


if __name__ == "__main__":
    print(reason := pod_trial.find_problem())
    sys.exit(bool(reason))
