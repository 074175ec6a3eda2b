"""What the mesh asks of the supervisor: plain data that travels as one JSON line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process to start. ``env`` is the whole environment; nothing is inherited."""

    name: str
    """Unique among the processes that run; names the process in exits and messages."""
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    log: str
    """File that standard output and error are appended to."""
    sidecar: bool = False
    """True for an Envoy: when everything ends, it outlives the apps whose requests it carries."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A process ended. ``code`` is its exit code, or minus the signal's number."""

    name: str
    pid: int
    code: int
    asked: bool = field(default=False)
    """True when the mesh had asked for this end."""
