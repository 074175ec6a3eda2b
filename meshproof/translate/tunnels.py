"""Tunnels: routes of CONNECT requests to TLS and TCP ports, from a VirtualService's tls and tcp
routes.

Istio chooses by the SNI and the port of a connection (core/tls.go); here the client names both in
its CONNECT. A TLS port takes the first matching tls route, then the first matching tcp route; a TCP
port only the latter. Without a match the tunnel goes to the host itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meshproof.istio_names import BLOCK_ALL, EGRESS_REFUSED, outbound_cluster
from meshproof.model.virtual_service import VirtualService
from meshproof.model.virtual_service_l4 import L4MatchAttributes, RouteDestination
from meshproof.translate.hashes import hash_policies
from meshproof.translate.host import Host
from meshproof.translate.host_names import covers, fqdn
from meshproof.translate.proto import Json
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.route_action import destination_cluster
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Named, ServicePort

REFUSE: Json = {"direct_response": {"status": EGRESS_REFUSED}}
_UNTRACED: Json = {
    name: {"numerator": 0} for name in ("client_sampling", "random_sampling", "overall_sampling")
}
_TCP = "TCP"


def build_connect_route(action: Json) -> Json:
    """A terminated CONNECT. It has no span; the requests inside it have."""
    return {
        "name": "connect",
        "match": {"connect_matcher": {}},
        "tracing": _UNTRACED,
        "route": {
            **action,
            "timeout": "0s",
            "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}],
        },
    }


def l4_rules(view: ProxyView) -> list[Named[VirtualService]]:
    """The rules that may route tunnels, in their order."""
    return [
        rule
        for rule in view.virtual_services()
        if (rule.spec.tls or rule.spec.tcp)
        and (not rule.spec.gateways or "mesh" in rule.spec.gateways)
    ]


def build_tcp_routes(
    view: ProxyView, rules: list[Named[VirtualService]], host: Host, port: ServicePort
) -> list[Json]:
    """The routes to a TLS or TCP port: CONNECT opens a tunnel; plain HTTP passes only on TCP."""
    action = _choose_target(view, [r for r in rules if is_for_host(r, host.name)], host.name, port)
    plain: Json = {"route": {**action, "timeout": "0s"}}
    if port.protocol != _TCP:
        plain = REFUSE
    everything: Json = {"match": {"prefix": "/"}, **plain}
    if port.protocol != _TCP:
        everything["name"] = BLOCK_ALL
    return [build_connect_route(action), everything]


def _choose_target(
    view: ProxyView, rules: list[Named[VirtualService]], host: str, port: ServicePort
) -> Json:
    kinds = (
        (_tls_destinations, _tcp_destinations) if port.protocol != _TCP else (_tcp_destinations,)
    )
    for kind in kinds:
        for rule in rules:
            for entries in kind(view, rule, host, port.port):
                return {
                    **build_target(view, rule, entries, port.port),
                    **_hash_of_first(view, rule, entries, port.port),
                }
    return {"cluster": outbound_cluster(port.port, host), **_hash(view, host, "", port.port)}


def _hash(view: ProxyView, host: str, subset: str, port: int | None) -> Json:
    return (
        {"hash_policy": [{"connection_properties": {"source_ip": True}}]}
        if sticks_by_source(view, host, subset, port)
        else {}
    )


def sticks_by_source(view: ProxyView, host: str, subset: str, port: int | None) -> bool:
    """Whether connections to a host go by their source address: of consistentHash, useSourceIp
    alone means something to them (Istio: maybeSetHashPolicy in core/networkfilter.go)."""
    policies = hash_policies(view, host, subset, port)
    return any("connection_properties" in policy for policy in policies)


def _hash_of_first(
    view: ProxyView, rule: Named[VirtualService], entries: Sequence[RouteDestination], port: int
) -> Json:
    first = entries[0].destination
    host = view.resolve_alias(fqdn(first.host, rule.namespace))
    return _hash(view, host, first.subset or "", first.port.number if first.port else port)


def is_for_host(rule: Named[VirtualService], host: str) -> bool:
    return any(covers(fqdn(h, rule.namespace), host) for h in rule.spec.hosts)


def _tls_destinations(
    view: ProxyView, rule: Named[VirtualService], host: str, port: int
) -> Iterator[list[RouteDestination]]:
    for route in rule.spec.tls:
        matches = (m for m in route.match if any(covers(name, host) for name in m.sni_hosts))
        if any(match_applies(view, m, port) for m in matches):
            yield route.route


def _tcp_destinations(
    view: ProxyView, rule: Named[VirtualService], _host: str, port: int
) -> Iterator[list[RouteDestination]]:
    for route in rule.spec.tcp:
        if not route.match or any(match_applies(view, m, port) for m in route.match):
            yield route.route


def match_applies(view: ProxyView, match: L4MatchAttributes, port: int) -> bool:
    """Unlike an HTTP match, one that names gateways checks labels too."""
    return (
        match.port in (None, port)
        and (not match.gateways or "mesh" in match.gateways)
        and has_labels(view.proxy.labels, match.source_labels)
        and match.source_namespace in (None, "", view.proxy.namespace)
    )


def build_target(
    view: ProxyView, rule: Named[VirtualService], entries: Sequence[RouteDestination], port: int
) -> Json:
    """The cluster or clusters of TCP and TLS destinations. A single one gets every call, whatever
    its weight; of several, those with weight 0 are left out."""
    weights = [
        (destination_cluster(view, e.destination, rule.namespace, port), e.weight) for e in entries
    ]
    if len(weights) == 1:
        return {"cluster": weights[0][0]}
    clusters = [{"name": name, "weight": weight} for name, weight in weights if weight]
    return {"weighted_clusters": {"clusters": clusters}}
