"""The difference between two states of a cluster: what to apply, what to delete, and in which
stages, so that no request is lost. Pure.

An Envoy that has lost a cluster answers 503 (``NC``) for every route that still leads there. istiod
pushes clusters before routes, so what is new is safe in one push. What goes is not: in the same
push the cluster ends first, and on a busy machine its routes end hundreds of milliseconds later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


_TARGETS = ("DestinationRule", "Service", "ServiceEntry")
"""Kinds that declare where routes lead to."""
State = Mapping[Key, Json]


def stages(before: State, after: State) -> list[State]:
    """The states to go through, ``after`` last: where routes change, what they may lead to until
    then stays until the new ones are live. Subsets too: a DestinationRule has both its old and its
    new ones meanwhile."""
    routes = {k: body for k, body in before.items() if k[0] in _LAST}
    if routes == {k: body for k, body in after.items() if k[0] in _LAST}:
        return [after]
    meanwhile = dict(after)
    for key, body in before.items():
        if key[0] not in _TARGETS:
            continue
        if key not in after:
            meanwhile[key] = body
        elif key[0] == "DestinationRule":
            meanwhile[key] = _with_subsets(after[key], body["spec"].get("subsets") or ())
    return [after] if meanwhile == after else [meanwhile, after]


def _with_subsets(rule: Json, others: Iterable[Json]) -> Json:
    """A DestinationRule that also has these subsets; its own go before others of that name."""
    own = rule["spec"].get("subsets") or []
    names = {subset["name"] for subset in own}
    added = [subset for subset in others if subset["name"] not in names]
    return {**rule, "spec": {**rule["spec"], "subsets": [*own, *added]}} if added else rule


def difference(before: State, after: State) -> ManifestDiff:
    """From one state to another: only what differs, in an order that loses no request."""
    new = [body for key, body in after.items() if before.get(key) != body]
    removed = [body for key, body in reversed(list(before.items())) if key not in after]
    return ManifestDiff(
        tuple(sorted(new, key=lambda body: body["kind"] in _LAST)),
        tuple(sorted(removed, key=lambda body: body["kind"] not in _LAST)),
    )
