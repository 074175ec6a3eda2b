"""Where a report's figures were measured: versions and machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

from meshproof.mesh_factory import proxy_version


def describe_environment(mesh: str) -> dict[str, str]:
    """Texts to show, in this order; ``mesh`` is the kind of mesh."""
    version = proxy_version(mesh)
    return {
        "mesh": mesh,
        "meshproof": importlib.metadata.version("meshproof"),
        **({"Envoy": version} if version else {}),
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        **_commit(),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def _commit() -> dict[str, str]:
    """The commit of the current folder, if it is in a git repository."""
    try:
        result = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True,
            check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"commit": result.stdout.strip()}
