"""What the supervisor is told to start, and what it reports: plain data, one JSON line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process to start. ``env`` is the whole environment; nothing is inherited."""

    name: str
    """Unique among the running processes; used in exits and messages."""
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    log: str
    """File that standard output and error are appended to."""
    sidecar: bool = False
    """True for an Envoy: at the end it outlives the apps whose requests it proxies."""
    transparent: bool = False
    """For a sidecar: it may open connections in its pod that come from any address."""
    pod: str = ""
    """The pod whose namespaces it runs in; empty for those of the mesh process."""
    mounts: Sequence[tuple[str, str]] = ()
    """In a pod: files and folders of this machine, and where the process sees them."""
    user: int | None = None
    """In a pod: the user that it runs as; None for the mesh's own. Only root can have another."""
    group: int | None = None
    groups: Sequence[int] = ()
    """Further groups, where the user is another."""
    read_only: bool = False
    """In a pod: it can write to its mounts alone, and to /dev and /proc."""
    dropped: Sequence[int] = ()
    """In a pod: capabilities that it has not got, by number."""
    staging: str = ""
    """An empty folder, for mounts at places that this machine does not have."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A process ended. ``code`` is its exit code, or minus the signal's number."""

    name: str
    pid: int
    code: int
    requested: bool = field(default=False)
    """True when the mesh had asked for it."""
