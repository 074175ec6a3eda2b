"""What was applied to a cluster, in Istio's order, and the difference between two such states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from meshproof.cluster.manifests import Json, Key, Manifest, desired
from meshproof.errors import Refused


@dataclass(frozen=True)
class State:
    """Immutable; a replaced item keeps its place, as Istio orders by creation."""

    items: Mapping[Key, Manifest] = field(default_factory=dict)

    def apply(self, new: Sequence[Manifest]) -> tuple[State, tuple[str, ...]]:
        """Also what happened to each, as kubectl words it."""
        items = dict(self.items)
        said = []
        for item in new:
            former = items.get(item.key)
            verb = "created" if former is None else "unchanged"
            if former is not None and not former.same(item):
                verb = "configured"
            items[item.key] = item
            said.append(f"{item.title} {verb}")
        return State(items), tuple(said)

    def delete(self, gone: Sequence[Manifest]) -> tuple[State, tuple[str, ...]]:
        """A Namespace takes what is in it along. Raises Refused where one is not there."""
        missing = [i for i in gone if i.key not in self.items]
        if missing:
            remedy = "see `meshproof ls`"
            raise Refused(i.problem("is not in this mesh", remedy) for i in missing)
        spaces = {i.name for i in gone if i.kind == "Namespace"}
        named = {i.key for i in gone}
        left = {k: i for k, i in self.items.items() if k not in named and k[1] not in spaces}
        said = tuple(i.title + " deleted" for k, i in self.items.items() if k not in left)
        return State(left), said

    def ordered(self) -> list[Manifest]:
        return list(self.items.values())

    def desired(self) -> dict[Key, Json]:
        return desired(self.ordered())

    def namespaces(self) -> list[str]:
        """Those that hold a Deployment."""
        return sorted({i.namespace for i in self.items.values() if i.kind == "Deployment"})

    def deployments(self) -> list[Manifest]:
        return [i for i in self.items.values() if i.kind == "Deployment"]


@dataclass(frozen=True, slots=True)
class ManifestDiff:
    """What to tell the cluster."""

    apply: tuple[Json, ...]
    delete: tuple[Json, ...]

    @property
    def deployments(self) -> list[tuple[str, str]]:
        """Namespace and name of each Deployment that is applied."""
        return [
            (str(d["metadata"]["namespace"]), str(d["metadata"]["name"]))
            for d in self.apply
            if d["kind"] == "Deployment"
        ]

    def __bool__(self) -> bool:
        return bool(self.apply or self.delete)


_LAST = ("VirtualService", "HTTPRoute", "GRPCRoute")
"""Kinds that send traffic to what others declare: applied after them, deleted before them. A
route to a subset that is not declared yet answers 503."""


def change(before: Mapping[Key, Json], after: Mapping[Key, Json]) -> ManifestDiff:
    """From one state to another: only what differs, in an order that loses no request."""
    new = [body for key, body in after.items() if before.get(key) != body]
    gone = [body for key, body in reversed(list(before.items())) if key not in after]
    return ManifestDiff(
        tuple(sorted(new, key=lambda body: body["kind"] in _LAST)),
        tuple(sorted(gone, key=lambda body: body["kind"] not in _LAST)),
    )


def titles(state: Iterable[Manifest]) -> tuple[str, ...]:
    return tuple(item.title for item in state)
