"""What a mesh on a cluster holds now. Its parts share one ``MeshState``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshproof.admission.store import Store
from meshproof.errors import MeshproofError


@dataclass
class MeshState:
    """``lifecycle`` and ``reconciler`` write it; all other parts read."""

    name: str
    up: bool = False
    images: Mapping[str, str] = field(default_factory=dict)
    """Name in the manifests -> name with the tag that was built."""
    applied: Store = field(default_factory=Store)
    initial: Store = field(default_factory=Store)
    """What ``up`` applied."""
    mark: str = ""
    """Of the newest configuration that is live."""
    renewals: dict[str, int] = field(default_factory=dict)
    """Host -> how often callers' connections to it were replaced."""

    def require_up(self) -> None:
        if not self.up:
            raise MeshproofError(f"the mesh {self.name} is not up")
