"""Converts HTTPRoutes to VirtualServices, among those that users wrote.

Istio (pilot/pkg/config/kube/gateway/route_collections.go): one for each namespace of routes, parent
host and parent port. Its routes are those of all such HTTPRoutes, in the API's precedence. It takes
the place of the oldest of them in the order of VirtualServices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from meshproof.gateway_api.parents import Parent, resolve_parents
from meshproof.gateway_api.rules import convert_rule
from meshproof.model.http_route import HTTPRouteSpec
from meshproof.model.resource import Resource
from meshproof.model.virtual_service import HTTPRoute, VirtualService
from meshproof.model.virtual_service_route import HTTPMatchRequest, StringMatch
from meshproof.translate.route_metadata import with_origin
from meshproof.translate.world import Named, Service

_Key = tuple[str, str, int | None]
"""Namespace of the routes, host, and the parent's port if it has one."""


def convert_virtual_services(
    resources: Sequence[Resource], services: Iterable[Service]
) -> tuple[Named[VirtualService], ...]:
    """In the order of ``resources`` (Istio's): VirtualServices as written, HTTPRoutes converted."""
    groups = _group_routes(resources, {s.fqdn for s in services})
    rules: list[Named[VirtualService]] = []
    for resource in resources:
        if resource.kind == "VirtualService":
            rules.append(Named(resource.name, resource.namespace, resource.spec))
        elif resource.kind == "HTTPRoute":
            for key, members in groups.items():
                if members[0] is resource:
                    rules.append(_build_virtual_service(key, members))
    return tuple(rules)


def _group_routes(
    resources: Sequence[Resource], services: set[str]
) -> Mapping[_Key, list[Resource]]:
    entries = {(r.namespace, r.name): r.spec.hosts for r in resources if r.kind == "ServiceEntry"}
    groups: dict[_Key, list[Resource]] = {}
    for route in resources:
        if route.kind != "HTTPRoute":
            continue
        keys = [
            (route.namespace, host, parent.port)
            for parent in resolve_parents(route, services, entries)
            for host in _hosts(parent)
        ]
        for key in dict.fromkeys(keys):
            groups.setdefault(key, []).append(route)
    return groups


def _hosts(parent: Parent) -> tuple[str, ...]:
    return () if parent.missing else parent.hosts


def _build_virtual_service(key: _Key, members: Iterable[Resource]) -> Named[VirtualService]:
    namespace, host, port = key
    routes = [http for route in members for http in _routes(route, port)]
    name = f"{namespace}~{port}~{host}" if port else f"{namespace}~{host}"
    spec = VirtualService.model_construct(
        hosts=[host], gateways=["mesh"], http=sorted(routes, key=_precedence), export_to=[]
    )
    return Named(name, namespace, spec, gateway=True)


def _routes(route: Resource, port: int | None) -> Iterable[HTTPRoute]:
    spec: HTTPRouteSpec = route.spec
    for number, rule in enumerate(spec.rules):
        name = rule.name or f"{route.namespace}.{route.name}.{number}"
        for index, http in enumerate(convert_rule(rule, name, route.namespace, port)):
            field = f"spec.rules[{number}]" + (f".matches[{index}]" if rule.matches else "")
            yield with_origin(http, "HTTPRoute", route.namespace, route.name, field)


def _precedence(route: HTTPRoute) -> tuple[int, ...]:
    """Exact paths, then prefixes, then expressions, longer ones first; then matches with a method,
    with more headers, with more query parameters. Equal ones keep the order of the routes."""
    match: HTTPMatchRequest = route.match[0]
    rank, length = _path_rank(match.uri)
    return (
        -rank,
        -length,
        0 if match.method else 1,
        -len(match.headers),
        -len(match.query_params),
    )


def _path_rank(uri: StringMatch | None) -> tuple[int, int]:
    if uri is None:
        return (0, 0)
    for rank, text in ((3, uri.exact), (2, uri.prefix), (1, uri.regex)):
        if text is not None:
            return (rank, len(text.encode()))
    return (0, 0)
