"""Where a report's figures come from: versions and machine. They are no figures of a product."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

from meshproof.embedded.pod import envoy_binary
from meshproof.errors import MeshproofError


def environment(mesh: str) -> dict[str, str]:
    """``mesh`` is embedded or kind. Texts to show, in this order."""
    return {
        "mesh": mesh,
        "meshproof": importlib.metadata.version("meshproof"),
        **({"Envoy": _envoy()} if mesh == "embedded" else {}),
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        **_commit(),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def _envoy() -> str:
    try:
        return envoy_binary.version()
    except MeshproofError as error:
        return str(error)


def _commit() -> dict[str, str]:
    """The commit of the folder that it ran in, where that is one of git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True,
            check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"commit": done.stdout.strip()}
