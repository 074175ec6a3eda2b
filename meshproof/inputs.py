"""What a change is read from; part of the contract of every mesh. Cheap to import."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

STDIN = "<stdin>"
"""What messages call standard input."""


class Source(NamedTuple):
    """YAML text in memory, and the name of its file in messages."""

    file: str
    text: str


Input = str | Path | Source
"""A file, a folder, a Kustomize folder, or text in memory."""
