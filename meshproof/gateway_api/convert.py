"""Converts routes of the Gateway API to VirtualServices, among those that users wrote.

Istio (pilot/pkg/config/kube/gateway/route_collections.go): HTTPRoutes, and GRPCRoutes apart from
them, become one VirtualService for each host of a Gateway's listener, and one for each namespace of
routes, parent service and parent port. Its routes are those of all of them, in the API's
precedence. It takes the place of the oldest of them in the order of VirtualServices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from meshproof.gateway_api.attachments import Listeners, attach
from meshproof.gateway_api.connection_rules import convert_at_host, convert_at_listener
from meshproof.gateway_api.grants import Grants
from meshproof.gateway_api.grpc_rules import as_http_rule
from meshproof.gateway_api.listeners import listeners_of, states_by_gateway
from meshproof.gateway_api.parents import resolve_parents
from meshproof.gateway_api.permits import only_permitted
from meshproof.gateway_api.rules import convert_rule
from meshproof.model.grpc_route import GRPCRouteRule
from meshproof.model.resource import Resource
from meshproof.model.virtual_service import HTTPRoute, VirtualService
from meshproof.model.virtual_service_route import HTTPMatchRequest, StringMatch
from meshproof.translate.route_metadata import with_origin
from meshproof.translate.world import Named, Service

REQUEST_ROUTES = ("HTTPRoute", "GRPCRoute")
CONNECTION_ROUTES = ("TLSRoute", "TCPRoute")
_Key = tuple[str, str, str, str, int | None]
"""Kind, gateway (``mesh`` for sidecars), namespace of the routes (of sidecars alone), host, and the
parent's port if it has one."""
_Entries = Mapping[tuple[str, str], list[str]]


def convert_virtual_services(
    resources: Sequence[Resource], services: Iterable[Service]
) -> tuple[Named[VirtualService], ...]:
    """In the order of ``resources`` (Istio's): VirtualServices as written, routes converted."""
    converter = _Converter(resources, {s.fqdn for s in services})
    rules: list[Named[VirtualService]] = []
    for resource in resources:
        if resource.kind == "VirtualService":
            rules.append(Named(resource.name, resource.namespace, resource.spec))
        elif resource.kind in REQUEST_ROUTES:
            rules += converter.request_rules(resource)
        elif resource.kind in CONNECTION_ROUTES:
            rules += converter.connection_rules(resource)
    return tuple(rules)


class _Converter:
    def __init__(self, resources: Sequence[Resource], services: set[str]) -> None:
        self._services = services
        self._entries = {
            (r.namespace, r.name): r.spec.hosts for r in resources if r.kind == "ServiceEntry"
        }
        self._grants = Grants(resources)
        self._listeners: Listeners = states_by_gateway(listeners_of(resources))
        self._groups: dict[_Key, list[Resource]] = {}
        for route in resources:
            if route.kind in REQUEST_ROUTES:
                for key in dict.fromkeys([*self._mesh_keys(route), *self._gateway_keys(route)]):
                    self._groups.setdefault(key, []).append(route)

    def _mesh_keys(self, route: Resource) -> Iterable[_Key]:
        for parent in resolve_parents(route, self._services, self._entries):
            for host in () if parent.missing else parent.hosts:
                yield route.kind, "mesh", route.namespace, host, parent.port

    def _gateway_keys(self, route: Resource) -> Iterable[_Key]:
        for at in attach(route, self._listeners):
            if at.denied is None and at.listener.server is not None:
                for host in route.spec.hostnames or ["*"]:
                    if at.takes(host):
                        yield route.kind, at.listener.key, "", host, None

    def request_rules(self, first: Resource) -> Iterable[Named[VirtualService]]:
        """Those of which ``first`` is the oldest route."""
        for key, members in self._groups.items():
            if members[0] is first:
                yield self._build(key, members)

    def _build(self, key: _Key, members: Sequence[Resource]) -> Named[VirtualService]:
        _, gateway, _, host, port = key
        routes = [http for r in members for http in self._routes(r, gateway, port)]
        namespace = members[0].namespace
        at = namespace if gateway == "mesh" else gateway.rpartition("/")[2]
        name = f"{at}~{port}~{host}" if port else f"{at}~{host}"
        spec = VirtualService.model_construct(
            hosts=[host], gateways=[gateway], http=sorted(routes, key=_precedence), export_to=[]
        )
        return Named(name, namespace, spec, gateway=True)

    def _routes(self, route: Resource, gateway: str, port: int | None) -> Iterable[HTTPRoute]:
        for number, written in enumerate(route.spec.rules):
            rule: Any = as_http_rule(written) if isinstance(written, GRPCRouteRule) else written
            if gateway != "mesh":
                rule = only_permitted(rule, route, self._grants)
            name = rule.name or f"{route.namespace}.{route.name}.{number}"
            for index, http in enumerate(convert_rule(rule, name, route.namespace, port)):
                field = f"spec.rules[{number}]" + (f".matches[{index}]" if written.matches else "")
                yield with_origin(http, route.kind, route.namespace, route.name, field)

    def connection_rules(self, route: Resource) -> Iterable[Named[VirtualService]]:
        for parent in resolve_parents(route, self._services, self._entries):
            if not parent.missing:
                yield from convert_at_host(route, parent)
        rules = [only_permitted(rule, route, self._grants) for rule in route.spec.rules]
        checked = _with_rules(route, rules)
        for at in attach(route, self._listeners):
            if at.denied is None and at.listener.server is not None:
                yield from convert_at_listener(checked, at)


def _with_rules(route: Resource, rules: list[Any]) -> Resource:
    return replace(route, spec=route.spec.model_copy(update={"rules": rules}))


def _precedence(route: HTTPRoute) -> tuple[int, ...]:
    return precedence(route.match[0])


def precedence(match: HTTPMatchRequest) -> tuple[int, ...]:
    """The lower the earlier: exact paths, then prefixes, then expressions, longer ones first; then
    matches with a method, with more headers, with more query parameters. Equal ones keep the order
    of the routes."""
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
