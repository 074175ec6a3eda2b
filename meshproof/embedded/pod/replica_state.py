"""What the parts of one replica share."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.embedded.pod.workload import Workload


@dataclass(slots=True)
class ReplicaState:
    """One replica's workload, and whether it is ready."""

    name: str
    workload: Workload
    """Replaced when a ConfigMap or Secret changes; the next start of the app sees it."""
    in_service: bool = False
    """Whether it may be an endpoint at all: not before its rollout, nor after its end began."""
    ready: bool = False
    reason: str = "starting"
    """Why it is not ready."""
    restarts: int = 0
    """Of its containers and its Envoy."""
