"""Status conditions of HTTPRoutes, as Istio's gateway controller writes them for mesh parents.

``Accepted`` tells whether the parent exists, ``ResolvedRefs`` whether all backends do. A route with
an unresolved backend is still in force, and answers 500 for that backend's share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from meshproof.errors import Problem
from meshproof.gateway_api.parents import Parent, resolve_parents
from meshproof.istio_names import service_host
from meshproof.mesh import ParentStatus, RouteStatus, StatusCondition
from meshproof.model.http_route_references import HOSTNAME, SERVICE, BackendObjectReference
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath
from meshproof.translate.host_names import covers
from meshproof.translate.world import Service

_BrokenReference = tuple[FieldPath, str, str]
"""The path of a reference, the condition's reason, and its message."""


def route_statuses(resources: Sequence[Resource], services: Iterable[Service]) -> list[RouteStatus]:
    """One for each HTTPRoute, in the order of ``resources``."""
    hosts = _Hosts(resources, services)
    return [_status(r, hosts) for r in resources if r.kind == "HTTPRoute"]


def reference_warnings(resources: Sequence[Resource], services: Iterable[Service]) -> list[Problem]:
    """Parents and backends that do not exist, as problems with file and line."""
    hosts = _Hosts(resources, services)
    problems = []
    for route in resources:
        if route.kind != "HTTPRoute":
            continue
        for parent in hosts.parents(route):
            if parent.missing:
                path: FieldPath = ("spec", "parentRefs", parent.index, "name")
                problems.append(route.problem(path, f"{parent.missing}; the route is for nobody"))
        for path, _, message in _broken_references(route, hosts):
            problems.append(route.problem(path, f"{message}; its share is answered with 500"))
    return problems


class _Hosts:
    """What routes may refer to: Services and ServiceEntries."""

    def __init__(self, resources: Sequence[Resource], services: Iterable[Service]) -> None:
        self.services = {s.fqdn for s in services}
        self.entries = {
            (r.namespace, r.name): r.spec.hosts for r in resources if r.kind == "ServiceEntry"
        }

    def parents(self, route: Resource) -> Iterator[Parent]:
        return resolve_parents(route, self.services, self.entries)

    def has_host(self, host: str) -> bool:
        entries = (h for hosts in self.entries.values() for h in hosts)
        return host in self.services or any(covers(h, host) for h in entries)


def _status(route: Resource, hosts: _Hosts) -> RouteStatus:
    broken = next(_broken_references(route, hosts), None)
    resolved = StatusCondition("ResolvedRefs", True, "ResolvedRefs", "All references resolved")
    if broken is not None:
        resolved = StatusCondition("ResolvedRefs", False, broken[1], broken[2])
    return RouteStatus(
        name=route.name,
        namespace=route.namespace,
        parents=tuple(_parent(p, resolved) for p in hosts.parents(route)),
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


def _broken_references(route: Resource, hosts: _Hosts) -> Iterator[_BrokenReference]:
    """Backends and mirrors that do not exist, or are of an unsupported kind."""
    for path, ref in _references(route.spec):
        if ref.group_kind == SERVICE:
            host = service_host(ref.name, ref.namespace or route.namespace)
            if host not in hosts.services:
                yield (*path, "name"), "BackendNotFound", f"backend({host}) not found"
        elif ref.group_kind == HOSTNAME:
            if not hosts.has_host(ref.name):
                yield (*path, "name"), "BackendNotFound", f"backend({ref.name}) not found"
        else:
            message = f'referencing unsupported backendRef: group "{ref.group}" kind "{ref.kind}"'
            yield (*path, "kind"), "InvalidKind", message


def _references(spec: Any) -> Iterator[tuple[FieldPath, BackendObjectReference]]:
    for number, rule in enumerate(spec.rules):
        rule_path: FieldPath = ("spec", "rules", number)
        for index, ref in enumerate(rule.backend_refs):
            if ref.weight > 0:
                yield (*rule_path, "backendRefs", index), ref
        for index, entry in enumerate(rule.filters):
            if entry.request_mirror is not None:
                path = (*rule_path, "filters", index, "requestMirror", "backendRef")
                yield path, entry.request_mirror.backend_ref
