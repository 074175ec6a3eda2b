"""What was applied to a cluster, in Istio's order, and the difference between two such states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from meshproof.cluster.manifests import Json, Key, Manifest, desired
from meshproof.errors import Refused


@dataclass(frozen=True)
class AppliedState:
    """Immutable. A replaced manifest keeps its position, as Istio orders by creation."""

    items: Mapping[Key, Manifest] = field(default_factory=dict)

    def apply(self, manifests: Sequence[Manifest]) -> tuple[AppliedState, tuple[str, ...]]:
        """Also what happened to each, in kubectl's words."""
        items = dict(self.items)
        messages = []
        for manifest in manifests:
            former = items.get(manifest.key)
            verb = "created" if former is None else "unchanged"
            if former is not None and not former.same(manifest):
                verb = "configured"
            items[manifest.key] = manifest
            messages.append(f"{manifest.title} {verb}")
        return AppliedState(items), tuple(messages)

    def delete(self, manifests: Sequence[Manifest]) -> tuple[AppliedState, tuple[str, ...]]:
        """A Namespace takes everything in it along. Raises Refused where one is not applied."""
        missing = [m for m in manifests if m.key not in self.items]
        if missing:
            remedy = "see `meshproof ls`"
            raise Refused(m.problem("is not in this mesh", remedy) for m in missing)
        namespaces = {m.name for m in manifests if m.kind == "Namespace"}
        keys = {m.key for m in manifests}
        kept = {
            key: item
            for key, item in self.items.items()
            if key not in keys and key[1] not in namespaces
        }
        messages = tuple(f"{m.title} deleted" for key, m in self.items.items() if key not in kept)
        return AppliedState(kept), messages

    def scale(self, namespace: str, name: str, replicas: int) -> AppliedState:
        """The same with another number of replicas of one Deployment."""
        body = self.deployment(namespace, name)
        scaled = {**body, "spec": {**body["spec"], "replicas": replicas}}
        manifest = self.items["Deployment", namespace, name].with_body(scaled)
        return AppliedState({**self.items, manifest.key: manifest})

    def ordered(self) -> list[Manifest]:
        return list(self.items.values())

    def desired(self) -> dict[Key, Json]:
        return desired(self.ordered())

    def deployments(self) -> list[Json]:
        return [
            item.body
            for item in self.items.values()
            if item.kind == "Deployment" and item.body is not None
        ]

    def deployment(self, namespace: str, name: str) -> Json:
        """KeyError where none is applied."""
        body = self.items["Deployment", namespace, name].body
        assert body is not None
        return body

    def namespaces(self) -> list[str]:
        """Those that hold a Deployment."""
        return sorted({d["metadata"]["namespace"] for d in self.deployments()})


@dataclass(frozen=True, slots=True)
class ManifestDiff:
    """What a cluster has to apply and to delete."""

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

    @property
    def moves_pods(self) -> bool:
        """Whether pods may come or go."""
        return any(d["kind"] == "Deployment" for d in (*self.apply, *self.delete))

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


def titles(manifests: Iterable[Manifest]) -> tuple[str, ...]:
    return tuple(manifest.title for manifest in manifests)
