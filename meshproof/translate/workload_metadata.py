"""What a proxy knows of its own workload: the labels of its metrics, spans and peer metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshproof.telemetry import packed_labels

UNKNOWN = "unknown"
"""Istio's value of a label that nothing tells."""


@dataclass(frozen=True, slots=True)
class WorkloadMetadata:
    """The workload behind a proxy, as Istio's node metadata names it."""

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    service: str = UNKNOWN
    """The Service that it serves, by full name."""

    @property
    def app(self) -> str:
        """Istio's canonical service: the label ``app``, else the workload."""
        return self.labels.get("app") or self.name

    @property
    def version(self) -> str:
        return self.labels.get("version") or "latest"


def describe(name: str, namespace: str, app: str, version: str) -> str:
    """A workload as one text, as Istio writes it into an endpoint's metadata."""
    return packed_labels.join_values(name, namespace, app, version)
