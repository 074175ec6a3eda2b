"""The applied resources, as an API server would hold them. Immutable: a change gives a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from meshproof.errors import UsageError
from meshproof.istio04.kinds import any_of_istio04
from meshproof.model.kinds_without_model import explain_ignored
from meshproof.model.resource import Resource
from meshproof.translate.from_kube import services_of
from meshproof.translate.world import Service

if TYPE_CHECKING:
    from meshproof.model.kube_config import Secret

_latest_services: list[tuple[Service, ...]] = [()]
"""The newest ones: equal ones are the same object, by which what is made of them is reused."""
Key = tuple[str, str, str]
"""Kind, namespace, name."""


@dataclass(frozen=True)
class Store:
    """``entries`` keeps, beside each resource, the number of the change that created it: Istio
    orders rules by creation, then name, then namespace, and replacing keeps the creation."""

    entries: Mapping[Key, tuple[int, Resource]] = field(default_factory=dict)
    changes: int = 0
    verbatim: bool = False
    """Whether every document counts as it was written, as on a cluster. The embedded mesh
    compares what documents mean to it, and ignores kinds without effect."""

    def apply(self, resources: Iterable[Resource]) -> tuple[Store, list[str]]:
        """Create or replace. Also a message for each, as kubectl words it."""
        entries = dict(self.entries)
        messages = []
        for resource in resources:
            created, former = entries.get(resource.key, (self.changes + 1, None))
            verb = self._verb(former, resource)
            if verb == _IGNORED:
                created = self.changes + 1
            entries[resource.key] = (created, resource)
            messages.append(f"{resource.title} {verb}")
        return Store(entries, self.changes + 1, self.verbatim), messages

    def _verb(self, former: Resource | None, resource: Resource) -> str:
        if not self.verbatim and explain_ignored(resource.kind, resource.api_version):
            return _IGNORED
        if former is None:
            return "created"
        if self.verbatim:
            return "unchanged" if former.manifest == resource.manifest else "configured"
        return "unchanged" if former == resource else "configured"

    def delete(self, resources: Iterable[Resource]) -> tuple[Store, list[str], list[Resource]]:
        """Remove by kind, namespace and name; a Namespace takes all that is in it along.

        Also the messages, and the resources that were not there (kubectl fails on those).
        """
        entries = dict(self.entries)
        messages, missing = [], []
        for resource in resources:
            if resource.key not in self.entries:
                missing.append(resource)
                continue
            inside = [k for k in entries if resource.kind == "Namespace" and k[1] == resource.name]
            for key in (resource.key, *inside):
                entry = entries.pop(key, None)
                if entry is not None:
                    messages.append(f"{entry[1].title} deleted")
        return Store(entries, self.changes + 1, self.verbatim), messages, missing

    def scale(self, namespace: str, name: str, replicas: int) -> Store:
        """The same, with another number of replicas. Raises UsageError for what has none."""
        for resource in self.of("Deployment", "StatefulSet"):
            if (resource.namespace, resource.name) == (namespace, name):
                return self._replaced(_with_replicas(resource, replicas))
        raise UsageError(f"no Deployment or StatefulSet {namespace}/{name} is applied")

    def _replaced(self, resource: Resource) -> Store:
        created, _ = self.entries[resource.key]
        entries = {**self.entries, resource.key: (created, resource)}
        return Store(entries, self.changes + 1, self.verbatim)

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """All, those that were applied first at the beginning."""
        return tuple(resource for _created, resource in self.entries.values())

    @cached_property
    def _ordered(self) -> tuple[Resource, ...]:
        rows = sorted(self.entries.values(), key=lambda e: (e[0], e[1].name, e[1].namespace))
        return tuple(resource for _created, resource in rows)

    def ordered(self) -> list[Resource]:
        """All, in Istio's order."""
        return list(self._ordered)

    def of(self, *kinds: str) -> list[Resource]:
        return [r for r in self._ordered if r.kind in kinds]

    def secret_values(self) -> list[bytes]:
        """Of every Secret: an app may log what it was given, and a dump must not show it."""
        secrets: Iterator[Secret] = (r.spec for r in self.of("Secret") if r.spec is not None)
        return [value for secret in secrets for value in secret.files.values()]

    @cached_property
    def decoded(self) -> tuple[Resource, ...]:
        """Those that a model read, in Istio's order."""
        return tuple(r for r in self._ordered if r.spec is not None)

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The Services, as the translator reads them: the very same where none has changed."""
        services = services_of(self.decoded)
        if _latest_services[0] != services:
            _latest_services[0] = services
        return _latest_services[0]

    @cached_property
    def lowered(self) -> tuple[Resource, ...]:
        """``decoded`` with rules of Istio 0.4 replaced by v1 resources that do the same, and with
        what Ingresses stand for, which on a cluster Istio itself sees to.

        Computed once for each store. Raises Refused for rules that cannot be lowered.
        """
        lowered: Sequence[Resource] = self.decoded
        if any_of_istio04(lowered):
            from meshproof.istio04.lower import lower  # noqa: PLC0415  (few meshes have one)

            lowered = lower(lowered, self.services)
        if self.verbatim or not any(r.kind == "Ingress" for r in lowered):
            return tuple(lowered)
        from meshproof.ingresses import lower_ingresses  # noqa: PLC0415  (few meshes have one)
        from meshproof.model.mesh_config import NO_MESH_CONFIG  # noqa: PLC0415
        from meshproof.model.mesh_config_sources import mesh_config_of  # noqa: PLC0415

        return tuple(lower_ingresses(lowered, mesh_config_of(lowered, NO_MESH_CONFIG)))


_IGNORED = "ignored"


def _with_replicas(resource: Resource, replicas: int) -> Resource:
    spec = resource.spec and resource.spec.model_copy(update={"replicas": replicas})
    body = {**resource.body, "spec": {**resource.body.get("spec", {}), "replicas": replicas}}
    return replace(resource, spec=spec, body=body)
