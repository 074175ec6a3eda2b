"""The applied resources, as an API server would hold them. Immutable: a change gives a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from meshproof.model.kinds import explain_ignored
from meshproof.model.kube_workloads import WORKLOADS
from meshproof.model.resource import Resource

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Store:
    """``entries`` keeps, beside each resource, the number of the change that created it: Istio
    orders rules by creation, then name, then namespace, and replacing keeps the creation."""

    entries: Mapping[Key, tuple[int, Resource]] = field(default_factory=dict)
    changes: int = 0

    def apply(self, resources: Iterable[Resource]) -> tuple[Store, list[str]]:
        """Create or replace. Also what happened to each, as kubectl words it."""
        entries = dict(self.entries)
        said = []
        for resource in resources:
            former = entries.get(resource.key)
            if explain_ignored(resource.kind, resource.api_version):
                entries[resource.key] = (self.changes + 1, resource)
                said.append(f"{resource.title} passed over")
                continue
            if former is None:
                verb, created = "created", self.changes + 1
            else:
                verb = "unchanged" if former[1] == resource else "configured"
                created = former[0]
            entries[resource.key] = (created, resource)
            said.append(f"{resource.title} {verb}")
        return Store(entries, self.changes + 1), said

    def delete(self, resources: Iterable[Resource]) -> tuple[Store, list[str], list[Resource]]:
        """Remove by kind, namespace and name; a Namespace takes all that is in it along.

        Also what happened, and which were not there (kubectl fails on those).
        """
        entries = dict(self.entries)
        said, missing = [], []
        for resource in resources:
            if resource.key not in self.entries:
                missing.append(resource)
                continue
            inside = [k for k in entries if resource.kind == "Namespace" and k[1] == resource.name]
            for key in (resource.key, *inside):
                gone = entries.pop(key, None)
                if gone is not None:
                    said.append(f"{gone[1].title} deleted")
        return Store(entries, self.changes + 1), said, missing

    def with_spec(self, resource: Resource, spec: object) -> Store:
        """The same, but for one resource's spec."""
        created, _ = self.entries[resource.key]
        changed = replace(resource, spec=spec)
        return Store({**self.entries, resource.key: (created, changed)}, self.changes + 1)

    def ordered(self) -> list[Resource]:
        """All, in Istio's order."""
        rows = sorted(self.entries.values(), key=lambda e: (e[0], e[1].name, e[1].namespace))
        return [resource for _created, resource in rows]

    def of(self, *kinds: str) -> list[Resource]:
        return [r for r in self.ordered() if r.kind in kinds]

    def workload_namespaces(self) -> list[str]:
        """Namespaces that hold a workload, sorted."""
        return sorted({r.namespace for r in self.of(*WORKLOADS)})
