"""Patches of route tables, virtual hosts and routes (core/envoyfilter/rc_patch.go)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from meshproof.envoy_filters.messages import merge
from meshproof.envoy_filters.positions import rearrange
from meshproof.envoy_filters.rules import Rule, Rules
from meshproof.istio_names import ClusterName
from meshproof.model.envoy_filter import RouteConfigurationMatch, VirtualHostMatch

_ACTIONS = {"route": "ROUTE", "redirect": "REDIRECT", "direct_response": "DIRECT_RESPONSE"}


@dataclass(frozen=True)
class TablePlace:
    """A route table as Istio would have it."""

    context: str
    name: str
    ports: frozenset[int]
    """Of a gateway's, its pod's own port, and those of the servers that lead there."""


def place_table(name: str, context: str, pod_port: Callable[[int], int]) -> TablePlace:
    """Istio calls a gateway's table for plain HTTP by the pod's own port: ``http.8080``."""
    if context != "GATEWAY":
        return TablePlace(context, name, frozenset((port_of(name),)))
    kind, _, rest = name.partition(".")  # http.80, or https.443.NAME.GATEWAY.NAMESPACE
    port, _, rest = rest.partition(".")
    if not port.isdigit():
        return TablePlace(context, name, frozenset())
    ports = frozenset((int(port), pod_port(int(port))))
    own = f"http.{pod_port(int(port))}" if (kind, rest) == ("http", "") else name
    return TablePlace(context, own, ports)


def patch_table(table: Any, place: TablePlace, rules: Rules) -> None:
    """Change a RouteConfiguration."""
    context = place.context
    for rule in rules.of("ROUTE_CONFIGURATION", context):
        if _is_table(rule, place):
            rules.mark(rule)
            merge(table, rule.value)
    kept = []
    for host in table.virtual_hosts:
        if (patched := _patch_host(host, place, rules)) is not None:
            kept.append(type(host).FromString(patched.SerializeToString()))
    del table.virtual_hosts[:]
    table.virtual_hosts.extend(kept)
    for rule in rules.of("VIRTUAL_HOST", context):
        if rule.patch.operation == "ADD" and _is_table(rule, place):
            rules.mark(rule)
            table.virtual_hosts.add().CopyFrom(rule.value)


def _patch_host(host: Any, place: TablePlace, rules: Rules) -> Any:
    """The host as it is from now on, or None."""
    context = place.context
    for rule in rules.of("VIRTUAL_HOST", context):
        operation = rule.patch.operation
        if operation == "ADD" or not _is_host(rule, host, place):
            continue
        rules.mark(rule)
        if operation == "REMOVE":
            return None
        if operation == "MERGE":
            merge(host, rule.value)
        else:
            host.CopyFrom(rule.value)
    for rule in rules.of("HTTP_ROUTE", context):
        if _is_host(rule, host, place):
            _patch_routes(host, rule, rules)
    return host


def _patch_routes(host: Any, rule: Rule, rules: Rules) -> None:
    named = _host_match(rule).route is not None
    if rule.patch.operation == "MERGE":
        for route in host.routes:
            if _is_route(rule, route):
                rules.mark(rule)
                merge(route, rule.value)
        return
    if rule.patch.operation == "REMOVE" or named:
        if rule.patch.operation == "INSERT_FIRST":
            named = any(_is_route(rule, route) for route in host.routes)
            if not named:
                return
        applied = rearrange(host.routes, rule.patch, rule.value, lambda r: _is_route(rule, r))
        rules.mark(rule, applied=applied)
        return
    rules.mark(rule, applied=rearrange(host.routes, rule.patch, rule.value, None))


# -- matches ------------------------------------------------------------------------------------


def _match(rule: Rule) -> RouteConfigurationMatch:
    return rule.patch.match.route_configuration or RouteConfigurationMatch()


def _host_match(rule: Rule) -> VirtualHostMatch:
    return _match(rule).vhost or VirtualHostMatch()


def _is_table(rule: Rule, place: TablePlace) -> bool:
    match = _match(rule)
    if match.name not in ("", place.name):
        return False
    if match.port_number and match.port_number not in place.ports:
        return False
    if place.context != "GATEWAY":
        return True
    _, _, rest = place.name.partition(".")
    _, _, rest = rest.partition(".")
    server, _, gateway = rest.partition(".")
    name, _, namespace = gateway.rpartition(".")
    return match.port_name in ("", server) and match.gateway in ("", f"{namespace}/{name}")


def port_of(name: str) -> int:
    """The port of a table: ``80``, ``host:80`` or ``inbound|8080||``."""
    cluster = ClusterName.parse(name)
    if cluster is not None:
        return cluster.port
    port = name.rpartition(":")[2]
    return int(port) if port.isdigit() else 0


def _is_host(rule: Rule, host: Any, place: TablePlace) -> bool:
    match = _host_match(rule)
    return (
        _is_table(rule, place)
        and match.name in ("", host.name)
        and (not match.domain_name or match.domain_name in host.domains)
    )


def _is_route(rule: Rule, route: Any) -> bool:
    match = _host_match(rule).route
    if match is None:
        return True
    if match.name not in ("", route.name):
        return False
    return match.action in ("ANY", _ACTIONS.get(route.WhichOneof("action") or "", ""))
