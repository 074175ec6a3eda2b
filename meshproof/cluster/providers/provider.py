"""Where a mesh stands: a kind cluster of ours, or a cluster that exists; all that differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.manifests import Json
from meshproof.cluster.tools import Tool


class Provider(Protocol):
    """Steps in the order in which ``up`` takes them; each may be taken again."""

    @property
    def tools(self) -> tuple[Tool, ...]: ...

    @property
    def kubectl(self) -> Kubectl: ...

    @property
    def name(self) -> str:
        """Names the cluster in messages."""
        ...

    def ensure(self) -> None:
        """The cluster is there and may be used."""
        ...

    def deliver(self, images: Mapping[str, str]) -> None:
        """The nodes can start these images."""
        ...

    def outside(self, images: Mapping[str, str]) -> list[str]:
        """The outside hosts run. Returns notes."""
        ...

    def fit(self, body: Json) -> Json:
        """A document as this place needs it."""
        ...

    def gateway_url(self) -> str: ...

    def outside_url(self, name: str) -> str:
        """Empty where no outside host has that name."""
        ...

    def outside_logs(self, name: str) -> str: ...

    def outside_follow(self, name: str) -> tuple[str, ...]:
        """The command that follows an outside host's log; empty where none has that name."""
        ...

    def outside_fault(self, kind: str, name: str) -> None:
        """``pause``, ``resume``, ``cut``, ``heal``."""
        ...

    def remove(self) -> None:
        """Everything that was made here, and nothing else; safe to repeat."""
        ...
