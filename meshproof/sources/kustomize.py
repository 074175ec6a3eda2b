"""Kustomize folders, built by ``kubectl`` or ``kustomize``, whichever is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from meshproof.errors import Problem
from meshproof.inputs import Source

_TOOLS = (("kubectl", "kustomize"), ("kustomize", "build"))
_WITHIN = 60.0
"""Seconds. A build may fetch bases over the network."""


def is_kustomize(folder: Path) -> bool:
    """Whether the folder has a kustomization file: its other files are inputs, not objects."""
    names = ("kustomization.yaml", "kustomization.yml", "Kustomization")
    return any((folder / name).exists() for name in names)


def build(folder: str, problems: list[Problem]) -> Source | None:
    """The built YAML, named by the command that built it; lines count in its output.

    None and one more problem if there is no tool, or if it fails.
    """
    command = next((list(tool) for tool in _TOOLS if shutil.which(tool[0])), None)
    if command is None:
        problems.append(_problem(folder, "is a Kustomize folder", _MISSING.format(folder)))
        return None
    command_line = " ".join([*command, folder])
    try:
        result = subprocess.run(
            [*command, folder], capture_output=True, text=True, check=False, timeout=_WITHIN
        )
    except (subprocess.TimeoutExpired, OSError, UnicodeDecodeError) as error:
        problems.append(
            _problem(folder, f"is a Kustomize folder that could not be built: {error}", "")
        )
        return None
    if result.returncode != 0:
        reason = " ".join(result.stderr.split()) or f"exit code {result.returncode}"
        problems.append(_problem(folder, f"could not be built by `{command_line}`: {reason}", ""))
        return None
    return Source(f"`{command_line}`", result.stdout)


_MISSING = (
    "install kubectl or kustomize, or build it elsewhere: kubectl kustomize {} | meshproof up -f -"
)


def _problem(folder: str, message: str, remedy: str) -> Problem:
    expected = "kubectl or kustomize on PATH, to build it" if remedy else ""
    return Problem(folder, 0, "", "", message, expected, remedy)
