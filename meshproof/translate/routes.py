"""The routes of one host and port, from one VirtualService or from none (Istio:
core/route/route.go)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meshproof.istio_names import ClusterName
from meshproof.model.virtual_service import HTTPRoute, VirtualService
from meshproof.model.virtual_service_route import HTTPMatchRequest
from meshproof.translate.cors import build_cors
from meshproof.translate.faults import build_fault
from meshproof.translate.headers import translate_headers
from meshproof.translate.host_names import gateway_key
from meshproof.translate.proto import Json
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.route_action import (
    apply_gateway_semantics,
    build_default_action,
    build_redirect,
    build_route,
)
from meshproof.translate.route_match import build_route_match, describe_path, is_catch_all
from meshproof.translate.route_metadata import build_metadata
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Named

MESH = ("", "mesh")
"""The gateway key that means every sidecar."""

GatewayKey = tuple[str, str]
"""Namespace and name; ``MESH`` for sidecars."""


def gateway_keys(rule: Named[VirtualService]) -> set[GatewayKey]:
    """The gateways of a VirtualService; by default the mesh."""
    return {_key(name, rule.namespace) for name in rule.spec.gateways or ["mesh"]}


def _key(name: str, namespace: str) -> GatewayKey:
    return MESH if name == "mesh" else gateway_key(name, namespace)


@dataclass(frozen=True, slots=True)
class RouteContext:
    """The entry point that routes are built for."""

    port: int
    gateways: frozenset[GatewayKey] = frozenset({MESH})
    secure: bool = False
    """It terminates TLS."""


def build_rule_routes(
    view: ProxyView, rule: Named[VirtualService], context: RouteContext
) -> list[Json]:
    """Routes in document order, one for each match entry, up to the first catch-all.

    Entries for other proxies (``gateways``, ``sourceLabels``, ``sourceNamespace``) and other
    ports are left out. An empty list means that the rule does not apply here.
    """
    return view.routes_of(rule, context, lambda: _build_rule_routes(view, rule, context))


def _build_rule_routes(
    view: ProxyView, rule: Named[VirtualService], context: RouteContext
) -> list[Json]:
    routes: list[Json] = []
    for number, http in enumerate(rule.spec.http):
        matches: Sequence[HTTPMatchRequest | None] = http.match or [None]
        for index, match in enumerate(matches):
            if match is not None and not _applies(view, match, rule.namespace, context):
                continue
            route = _build_route_entry(view, rule, http, match, context)
            route["metadata"] = build_metadata(rule, http, number, None if match is None else index)
            routes.append(route)
            if is_catch_all(routes[-1]["match"]):
                return routes
    return routes


def _applies(
    view: ProxyView, match: HTTPMatchRequest, namespace: str, context: RouteContext
) -> bool:
    if match.port is not None and match.port != context.port:
        return False
    if match.gateways:
        return any(_key(name, namespace) in context.gateways for name in match.gateways)
    proxy = view.proxy
    return has_labels(proxy.labels, match.source_labels) and match.source_namespace in (
        None,
        "",
        proxy.namespace,
    )


def _build_route_entry(
    view: ProxyView,
    rule: Named[VirtualService],
    http: HTTPRoute,
    match: HTTPMatchRequest | None,
    context: RouteContext,
) -> Json:
    route_match = build_route_match(match, gateway=rule.gateway)
    result: Json = {"match": route_match}
    name = http.name or ""
    if match is not None and match.name:
        name = f"{name}.{match.name}"
    if name:
        result["name"] = name
    if match is not None and match.stat_prefix:
        result["stat_prefix"] = match.stat_prefix
    result |= _build_action(view, rule, http, route_match, context)
    if filters := build_fault(http.fault) | build_cors(http.cors_policy):
        result["typed_per_filter_config"] = filters
    result["decorator"] = {"operation": _operation(result, rule.name, context.port)}
    return result


def _build_action(
    view: ProxyView,
    rule: Named[VirtualService],
    http: HTTPRoute,
    route_match: Json,
    context: RouteContext,
) -> Json:
    if http.route:
        route = build_route(view, http, rule.namespace, context.port)
        return apply_gateway_semantics(route, route_match) if rule.gateway else route
    changes = translate_headers(http.headers).fields
    if http.redirect is not None:
        return build_redirect(http.redirect, context.port, secure=context.secure) | changes
    response = http.direct_response
    assert response is not None, "the model wants one of route, redirect, directResponse"
    fields: Json = {"status": response.status}
    if response.body is not None and response.body.bytes is not None:
        fields["body"] = {"inline_bytes": response.body.bytes}
    elif response.body is not None and response.body.string is not None:
        fields["body"] = {"inline_string": response.body.string}
    return {"direct_response": fields} | changes


def _operation(result: Json, rule: str, port: int) -> str:
    """The span's name: ``host:port`` of the only destination, else the rule's; and the path."""
    path = describe_path(result["match"])
    cluster = ClusterName.parse(result.get("route", {}).get("cluster", ""))
    if cluster is None:
        return f"{rule}:{port}{path}"
    return f"{cluster.host}:{cluster.port}{path}"


def build_default_routes(view: ProxyView, host: str, port: int) -> Iterator[Json]:
    """The only route of a service without a VirtualService."""
    yield {
        "name": "default",
        "match": {"prefix": "/"},
        "decorator": {"operation": f"{host}:{port}/*"},
        **build_default_action(view, host, port),
    }
