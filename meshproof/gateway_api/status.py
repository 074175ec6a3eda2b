"""The status conditions of HTTPRoutes, as Istio's gateway controller writes them for mesh parents.

``Accepted`` says whether the parent exists, ``ResolvedRefs`` whether all backends do. A route with
an unresolved backend is in force all the same, and answers 500 for that backend's share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from meshproof.errors import Problem
from meshproof.gateway_api.parents import Parent, parents
from meshproof.istio_names import service_host
from meshproof.mesh import ParentStatus, RouteStatus, StatusCondition
from meshproof.model.http_route_references import HOSTNAME, SERVICE, BackendObjectReference
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath
from meshproof.translate.host_names import covers
from meshproof.translate.world import Service

_Broken = tuple[FieldPath, str, str]
"""Where a backend stands, the condition's reason, and its message."""


def statuses(resources: Sequence[Resource], services: Iterable[Service]) -> list[RouteStatus]:
    """One for each HTTPRoute, in the order of ``resources``."""
    known = _Known(resources, services)
    return [_status(r, known) for r in resources if r.kind == "HTTPRoute"]


def warnings(resources: Sequence[Resource], services: Iterable[Service]) -> list[Problem]:
    """The same as problems with a place: parents and backends that do not exist."""
    known = _Known(resources, services)
    found = []
    for route in resources:
        if route.kind != "HTTPRoute":
            continue
        for parent in known.parents(route):
            if parent.missing:
                path: FieldPath = ("spec", "parentRefs", parent.index, "name")
                found.append(route.problem(path, f"{parent.missing}; the route is for nobody"))
        for path, _, message in _broken(route, known):
            found.append(route.problem(path, f"{message}; its share is answered with 500"))
    return found


class _Known:
    """What routes may refer to."""

    def __init__(self, resources: Sequence[Resource], services: Iterable[Service]) -> None:
        self.services = {s.fqdn for s in services}
        self.entries = {
            (r.namespace, r.name): r.spec.hosts for r in resources if r.kind == "ServiceEntry"
        }

    def parents(self, route: Resource) -> Iterator[Parent]:
        return parents(route, self.services, self.entries)

    def holds(self, host: str) -> bool:
        entries = (h for hosts in self.entries.values() for h in hosts)
        return host in self.services or any(covers(h, host) for h in entries)


def _status(route: Resource, known: _Known) -> RouteStatus:
    broken = next(_broken(route, known), None)
    resolved = StatusCondition("ResolvedRefs", True, "ResolvedRefs", "All references resolved")
    if broken is not None:
        resolved = StatusCondition("ResolvedRefs", False, broken[1], broken[2])
    return RouteStatus(
        name=route.name,
        namespace=route.namespace,
        parents=tuple(_parent(p, resolved) for p in known.parents(route)),
    )


def _parent(parent: Parent, resolved: StatusCondition) -> ParentStatus:
    accepted = StatusCondition("Accepted", True, "Accepted", "Route was valid")
    if parent.missing:
        accepted = StatusCondition("Accepted", False, "NoMatchingParent", parent.missing)
    return ParentStatus(
        kind=parent.ref.kind,
        name=parent.ref.name,
        namespace=parent.namespace,
        port=parent.ref.port,
        conditions=(accepted, resolved),
    )


def _broken(route: Resource, known: _Known) -> Iterator[_Broken]:
    """Backends and mirrors that do not exist, or are of a kind that is none."""
    for path, ref in _references(route.spec):
        if ref.group_kind == SERVICE:
            host = service_host(ref.name, ref.namespace or route.namespace)
            if host not in known.services:
                yield (*path, "name"), "BackendNotFound", f"backend({host}) not found"
        elif ref.group_kind == HOSTNAME:
            if not known.holds(ref.name):
                yield (*path, "name"), "BackendNotFound", f"backend({ref.name}) not found"
        else:
            what = f'referencing unsupported backendRef: group "{ref.group}" kind "{ref.kind}"'
            yield (*path, "kind"), "InvalidKind", what


def _references(spec: Any) -> Iterator[tuple[FieldPath, BackendObjectReference]]:
    for number, rule in enumerate(spec.rules):
        here: FieldPath = ("spec", "rules", number)
        for index, ref in enumerate(rule.backend_refs):
            if ref.weight > 0:
                yield (*here, "backendRefs", index), ref
        for index, entry in enumerate(rule.filters):
            if entry.request_mirror is not None:
                path = (*here, "filters", index, "requestMirror", "backendRef")
                yield path, entry.request_mirror.backend_ref
