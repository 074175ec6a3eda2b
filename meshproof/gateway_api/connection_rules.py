"""Converts TCPRoutes and TLSRoutes to VirtualServices (Istio: convertTCPRoute, convertTLSRoute and
constrainTLSRoutesToListenerHost in pilot/pkg/config/kube/gateway/conversion.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from meshproof.gateway_api.attachments import Attachment
from meshproof.gateway_api.parents import Parent
from meshproof.gateway_api.rules import convert_destination
from meshproof.model.connection_routes import BackendRef
from meshproof.model.resource import Resource
from meshproof.model.virtual_service import VirtualService
from meshproof.model.virtual_service_l4 import (
    L4MatchAttributes,
    RouteDestination,
    TCPRoute,
    TLSMatchAttributes,
    TLSRoute,
)
from meshproof.model.virtual_service_route import Destination
from meshproof.translate.gateway_api_extensions import UNKNOWN_SERVICE
from meshproof.translate.host_names import covers
from meshproof.translate.world import Named


def convert_at_listener(route: Resource, at: Attachment) -> Iterator[Named[VirtualService]]:
    """The route at one listener of a Gateway; nothing where they have no name in common."""
    own = at.listener.hostname or "*"
    if route.kind == "TCPRoute":
        rules = [_tcp_route(rule.backend_refs, route, []) for rule in route.spec.rules]
        yield _build(route, at.listener.internal_name, [own], at.listener.key, tcp=rules)
        return
    names = [n for host in route.spec.hostnames or ["*"] if (n := _common(own, host))]
    names = [name for name in names if at.takes(name)]
    if names:
        match = TLSMatchAttributes.model_construct(sni_hosts=names)
        tls = [_tls_route(rule.backend_refs, route, [match]) for rule in route.spec.rules]
        yield _build(route, at.listener.internal_name, names, at.listener.key, tls=tls)


def convert_at_host(route: Resource, parent: Parent) -> Iterator[Named[VirtualService]]:
    """The route for calls to a Service or a ServiceEntry, as every sidecar has it."""
    hosts = list(parent.hosts)
    if route.kind == "TCPRoute":
        tcp = [L4MatchAttributes.model_construct(port=parent.port)] if parent.port else []
        rules = [_tcp_route(rule.backend_refs, route, tcp) for rule in route.spec.rules]
        yield _build(route, "mesh", hosts, "mesh", tcp=rules)
        return
    names = route.spec.hostnames or hosts
    match = TLSMatchAttributes.model_construct(sni_hosts=list(names), port=parent.port)
    tls = [_tls_route(rule.backend_refs, route, [match]) for rule in route.spec.rules]
    yield _build(route, "mesh", hosts, "mesh", tls=tls)


def _build(
    route: Resource, at: str, hosts: Iterable[str], gateway: str, **rules: Any
) -> Named[VirtualService]:
    spec = VirtualService.model_construct(
        hosts=list(hosts), gateways=[gateway], export_to=[], **rules
    )
    return Named(f"{route.name}~{at}", route.namespace, spec, gateway=True)


def _common(own: str, host: str) -> str:
    """The narrower of two names; empty where they have nothing in common."""
    if covers(own, host):
        return host
    return own if covers(host, own) else ""


def _tcp_route(
    refs: Sequence[BackendRef], route: Resource, match: list[L4MatchAttributes]
) -> TCPRoute:
    return TCPRoute.model_construct(match=match, route=_destinations(refs, route.namespace))


def _tls_route(
    refs: Sequence[BackendRef], route: Resource, match: list[TLSMatchAttributes]
) -> TLSRoute:
    return TLSRoute.model_construct(match=match, route=_destinations(refs, route.namespace))


def _destinations(refs: Sequence[BackendRef], namespace: str) -> list[RouteDestination]:
    """Backends with weight 0 are left out; without others connections are closed, by a cluster
    that does not exist."""
    weighted = [ref for ref in refs if ref.weight]
    if not weighted:
        nobody = Destination.model_construct(host=UNKNOWN_SERVICE, subset=None, port=None)
        return [RouteDestination.model_construct(destination=nobody)]
    return [
        RouteDestination.model_construct(
            destination=convert_destination(ref, namespace), weight=ref.weight
        )
        for ref in weighted
    ]
