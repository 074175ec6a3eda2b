"""The difference between two states of a cluster: what to apply, and what to delete. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meshproof.admission.store import Key
from meshproof.cluster.kubectl import Json
from meshproof.model.kube_workloads import WORKLOADS

ROLLED_OUT = ("Deployment", "StatefulSet", "DaemonSet")
"""Kinds of workloads with a rollout, and with pods that they select."""


@dataclass(frozen=True, slots=True)
class ManifestDiff:
    apply: tuple[Json, ...]
    delete: tuple[Json, ...]

    @property
    def rollouts(self) -> list[tuple[str, str, str]]:
        """Kind, namespace and name of each workload that is applied."""
        return [
            (str(d["kind"]), str(d["metadata"]["namespace"]), str(d["metadata"]["name"]))
            for d in self.apply
            if d["kind"] in ROLLED_OUT
        ]

    @property
    def moves_pods(self) -> bool:
        """Whether pods may come or go."""
        return any(d["kind"] in WORKLOADS for d in (*self.apply, *self.delete))

    def __bool__(self) -> bool:
        return bool(self.apply or self.delete)


_LAST = ("VirtualService", "HTTPRoute", "GRPCRoute")
"""Kinds that send traffic to what others declare: applied after them, deleted before them. A
route to a subset that is not declared yet answers 503."""


def difference(before: Mapping[Key, Json], after: Mapping[Key, Json]) -> ManifestDiff:
    """From one state to another: only what differs, in an order that loses no request."""
    new = [body for key, body in after.items() if before.get(key) != body]
    removed = [body for key, body in reversed(list(before.items())) if key not in after]
    return ManifestDiff(
        tuple(sorted(new, key=lambda body: body["kind"] in _LAST)),
        tuple(sorted(removed, key=lambda body: body["kind"] not in _LAST)),
    )
