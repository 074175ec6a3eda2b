"""Which destinations a route sends its calls to, and with which weights. Pure, on typed rules.

The one reader for VirtualServices, the Gateway API's HTTPRoutes and RouteRules of Istio 0.4. In a
VirtualService a single destination gets every call, whatever its weight says (Istio: core/route/
route.go); of several, weights are proportions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from meshproof.model import v1alpha2, virtual_service
from meshproof.model.http_route import HTTPRouteMatch, HTTPRouteSpec
from meshproof.model.resource import Resource
from meshproof.model.virtual_service_route import HTTPRouteDestination

_ALL = 100
_EVERY_REQUEST = HTTPRouteMatch()
"""The match of a rule that writes none (the Gateway API's default): PathPrefix ``/``."""


@dataclass(frozen=True, slots=True)
class DestinationShare:
    """One destination of a route. ``host`` as the rule writes it; ``labels`` are a RouteRule's,
    which names pods by labels where a VirtualService names a subset."""

    host: str
    subset: str
    weight: int
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RouteShares:
    """One route with destinations."""

    hosts: tuple[tuple[str, str], ...]
    """Whose calls it takes: host as written, and the namespace that completes a short one."""
    unconditional: bool
    """It takes every call: it has no match."""
    shares: tuple[DestinationShare, ...]


def route_shares(rule: Resource) -> list[RouteShares]:
    """Every route of a rule that has destinations; none for other kinds."""
    match rule.spec:
        case virtual_service.VirtualService():
            return list(_of_virtual_service(rule.spec, rule.namespace))
        case HTTPRouteSpec():
            return list(_of_http_route(rule.spec, rule.namespace))
        case v1alpha2.RouteRule():
            return [_of_route_rule(rule.spec, rule.namespace)]
    return []


def destination_shares(entries: Sequence[HTTPRouteDestination]) -> tuple[DestinationShare, ...]:
    """Of the ``route`` of one HTTP route of a VirtualService."""
    only = len(entries) == 1
    return tuple(
        DestinationShare(
            entry.destination.host, entry.destination.subset or "", _ALL if only else entry.weight
        )
        for entry in entries
    )


def _of_virtual_service(
    spec: virtual_service.VirtualService, namespace: str
) -> Iterator[RouteShares]:
    hosts = tuple((host, namespace) for host in spec.hosts)
    for http in spec.http:
        if http.route:
            yield RouteShares(hosts, not http.match, destination_shares(http.route))


def _of_http_route(spec: HTTPRouteSpec, namespace: str) -> Iterator[RouteShares]:
    hosts = tuple((ref.name, ref.namespace or namespace) for ref in spec.parent_refs or ())
    for rule in spec.rules:
        if rule.backend_refs:
            shares = (DestinationShare(ref.name, "", ref.weight) for ref in rule.backend_refs)
            every = not rule.matches or _EVERY_REQUEST in rule.matches
            yield RouteShares(hosts, every, tuple(shares))


def _of_route_rule(spec: v1alpha2.RouteRule, namespace: str) -> RouteShares:
    host, only = spec.destination.name or "", len(spec.route) == 1
    shares = (
        DestinationShare(host, "", _ALL if only else entry.weight, dict(entry.labels))
        for entry in spec.route
    )
    return RouteShares(((host, namespace),), spec.match is None, tuple(shares))
