"""A provider has the cluster that a mesh runs on: a kind cluster of ours, or one that exists.
Everything that differs between the two is here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from meshproof.cluster.kubectl import Json, Kubectl
from meshproof.cluster.node_network import NodeNetwork
from meshproof.cluster.outside_hosts import OutsideHosts
from meshproof.cluster.tools import Tool


class Provider(Protocol):
    """The methods stand in the order in which ``up`` calls them; each may be repeated."""

    @property
    def tools(self) -> tuple[Tool, ...]:
        """What must be on PATH."""
        ...

    @property
    def kubectl(self) -> Kubectl: ...

    @property
    def name(self) -> str:
        """The cluster's name in messages."""
        ...

    def ensure(self, namespaces: Collection[str]) -> None:
        """The cluster exists, and these namespaces are ours or do not exist.

        Raises MeshproofError for a cluster or a namespace that is somebody else's.
        """
        ...

    def deliver(self, images: Mapping[str, str]) -> None:
        """The nodes can start these images: name in the manifests -> name with a tag."""
        ...

    def find_missing_images(self, images: Collection[str]) -> Mapping[str, str]:
        """Image -> why no node can start it; empty where that cannot be known."""
        ...

    def start_outside_hosts(self, images: Mapping[str, str]) -> list[str]:
        """Returns notes."""
        ...

    @property
    def outside(self) -> OutsideHosts: ...

    @property
    def network(self) -> NodeNetwork | None:
        """The nodes' network, where it is ours to disturb."""
        ...

    def adapt(self, body: Json) -> Json:
        """A document as this cluster needs it."""
        ...

    def gateway_url(self) -> str: ...

    def remove(self) -> None:
        """Removes everything that was created, and nothing else; safe to repeat."""
        ...
