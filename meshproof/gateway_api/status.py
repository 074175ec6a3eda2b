"""Status conditions of routes, as Istio's gateway controller writes them.

``Accepted`` tells whether the parent exists and takes the route, ``ResolvedRefs`` whether all
backends do exist. A route with an unresolved backend is still in force, and answers 500 for that
backend's share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from meshproof.errors import Problem
from meshproof.gateway_api.attachments import Attachment, attach
from meshproof.gateway_api.grants import Grants
from meshproof.gateway_api.listeners import listeners_of, states_by_gateway
from meshproof.gateway_api.parents import Parent, resolve_parents
from meshproof.gateway_api.permits import permits
from meshproof.istio_names import service_host
from meshproof.mesh import ParentStatus, RouteStatus, StatusCondition
from meshproof.model.http_route_references import (
    GATEWAY,
    HOSTNAME,
    SERVICE,
    BackendObjectReference,
)
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath
from meshproof.translate.host_names import covers
from meshproof.translate.world import Service

ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")
_BrokenReference = tuple[FieldPath, str, str]
"""The path of a reference, the condition's reason, and its message."""
_RANK = ("NoMatchingParent", "NoMatchingListenerHostname", "NotAllowedByListeners")
"""Reasons of refusal, the one that came furthest last: it is request where listeners differ."""


def route_statuses(resources: Sequence[Resource], services: Iterable[Service]) -> list[RouteStatus]:
    """One for each route, in the order of ``resources``."""
    hosts = _Hosts(resources, services)
    return [_status(r, hosts) for r in resources if r.kind in ROUTES]


def reference_warnings(resources: Sequence[Resource], services: Iterable[Service]) -> list[Problem]:
    """Parents that do not exist or do not take the route, and backends that do not exist, as
    problems with file and line."""
    hosts = _Hosts(resources, services)
    problems = []
    for route in resources:
        if route.kind not in ROUTES:
            continue
        for index, message in _refused_parents(route, hosts):
            path: FieldPath = ("spec", "parentRefs", index, "name")
            problems.append(route.problem(path, f"{message}; the route is for nobody"))
        share = "its share is answered with 500"
        if route.kind in ("TLSRoute", "TCPRoute"):
            share = "its share of connections is closed"
        for path, _, message in _broken_references(route, hosts):
            problems.append(route.problem(path, f"{message}; {share}"))
    return problems


def _refused_parents(route: Resource, hosts: _Hosts) -> Iterator[tuple[int, str]]:
    for parent in hosts.parents(route):
        if parent.missing:
            yield parent.index, parent.missing
    for index, ref in enumerate(route.spec.parent_refs):
        if ref.group_kind != GATEWAY:
            continue
        attachments = [at for at in hosts.attachments(route) if at.index == index]
        if not attachments:
            name = f"{ref.namespace or route.namespace}/{ref.name}"
            yield index, f"there is no Gateway {name} of class istio"
        elif all(at.denied for at in attachments):
            yield index, _worst(attachments)[1]


def _worst(attachments: Sequence[Attachment]) -> tuple[str, str]:
    denied = [at.denied for at in attachments if at.denied]
    return max(denied, key=lambda issue: _RANK.index(issue[0]))


class _Hosts:
    """What routes may refer to: Services, ServiceEntries, and listeners of Gateways."""

    def __init__(self, resources: Sequence[Resource], services: Iterable[Service]) -> None:
        self.services = {s.fqdn for s in services}
        self.entries = {
            (r.namespace, r.name): r.spec.hosts for r in resources if r.kind == "ServiceEntry"
        }
        self.grants = Grants(resources)
        self._listeners = states_by_gateway(listeners_of(resources))

    def parents(self, route: Resource) -> Iterator[Parent]:
        return resolve_parents(route, self.services, self.entries)

    def attachments(self, route: Resource) -> list[Attachment]:
        return list(attach(route, self._listeners))

    def has_host(self, host: str) -> bool:
        entries = (h for hosts in self.entries.values() for h in hosts)
        return host in self.services or any(covers(h, host) for h in entries)


def _status(route: Resource, hosts: _Hosts) -> RouteStatus:
    attachments = hosts.attachments(route)
    parents = {
        parent.index: _parent(parent, _resolved(route, hosts, at_gateway=False))
        for parent in hosts.parents(route)
    }
    at_gateway = _resolved(route, hosts, at_gateway=True)
    for at in attachments:
        together = [other for other in attachments if other.index == at.index]
        parents[at.index] = _at_gateway(route, together, at_gateway)
    return RouteStatus(
        name=route.name,
        namespace=route.namespace,
        parents=tuple(status for _, status in sorted(parents.items())),
        kind=route.kind,
    )


def _resolved(route: Resource, hosts: _Hosts, *, at_gateway: bool) -> StatusCondition:
    broken = next(_broken_references(route, hosts, at_gateway=at_gateway), None)
    if broken is not None:
        return StatusCondition("ResolvedRefs", False, broken[1], broken[2])
    return StatusCondition("ResolvedRefs", True, "ResolvedRefs", "All references resolved")


def _at_gateway(
    route: Resource, attachments: Sequence[Attachment], resolved: StatusCondition
) -> ParentStatus:
    """One reference; accepted if one listener takes the route."""
    accepted = StatusCondition("Accepted", True, "Accepted", "Route was valid")
    if all(at.denied for at in attachments):
        accepted = StatusCondition("Accepted", False, *_worst(attachments))
    ref = attachments[0].ref
    return ParentStatus(
        kind=ref.kind,
        name=ref.name,
        namespace=ref.namespace or route.namespace,
        port=ref.port,
        conditions=(accepted, resolved),
        section_name=ref.section_name or "",
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


def _broken_references(
    route: Resource, hosts: _Hosts, *, at_gateway: bool | None = None
) -> Iterator[_BrokenReference]:
    """Backends and mirrors that do not exist, are of an unsupported kind, or, ``at_gateway``, need
    a ReferenceGrant."""
    if at_gateway is None:
        at_gateway = any(ref.group_kind == GATEWAY for ref in route.spec.parent_refs)
    for path, ref in _references(route.spec):
        if at_gateway and not permits(ref, route, hosts.grants):
            message = (
                f"backendRef {ref.name}/{ref.namespace} not accessible to a {route.kind} in "
                f'namespace "{route.namespace}" (missing a ReferenceGrant?)'
            )
            yield (*path, "namespace"), "RefNotPermitted", message
        elif ref.group_kind == SERVICE:
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
        for index, entry in enumerate(getattr(rule, "filters", ())):
            if entry.request_mirror is not None:
                path = (*rule_path, "filters", index, "requestMirror", "backendRef")
                yield path, entry.request_mirror.backend_ref
