"""The routes that one VirtualService, or none, makes for one host and port."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
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
from meshproof.translate.registry import has_labels
from meshproof.translate.route_action import (
    apply_gateway_semantics,
    build_default_action,
    build_redirect,
    build_route,
)
from meshproof.translate.route_match import build_route_match, describe_path, is_catch_all
from meshproof.translate.route_metadata import build_metadata
from meshproof.translate.world import Named

MESH = ("", "mesh")
"""The gateway key that means every sidecar."""

GatewayKey = tuple[str, str]
"""Namespace and name; ``MESH`` for sidecars."""


def gateway_keys(rule: Named[VirtualService]) -> set[GatewayKey]:
    """The gateways that a VirtualService is for; none written means the mesh."""
    return {_key(name, rule.namespace) for name in rule.spec.gateways or ["mesh"]}


def _key(name: str, namespace: str) -> GatewayKey:
    return MESH if name == "mesh" else gateway_key(name, namespace)


@dataclass(frozen=True, slots=True)
class RouteContext:
    """Where the requests come in that routes are made for."""

    port: int
    gateways: Set[GatewayKey] = frozenset({MESH})
    secure: bool = False
    """TLS is ended here."""


def build_rule_routes(
    view: ProxyView, rule: Named[VirtualService], context: RouteContext
) -> list[Json]:
    """Routes in document order, one a match entry, up to the first that catches all.

    Entries for other proxies (``gateways``, ``sourceLabels``, ``sourceNamespace``) and other
    ports are left out. An empty list means that the rule says nothing here.
    """
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
    answer = http.direct_response
    assert answer is not None, "the model wants one of route, redirect, directResponse"
    fields: Json = {"status": answer.status}
    if answer.body is not None and answer.body.bytes is not None:
        fields["body"] = {"inline_bytes": answer.body.bytes}
    elif answer.body is not None and answer.body.string is not None:
        fields["body"] = {"inline_string": answer.body.string}
    return {"direct_response": fields} | changes


def _operation(result: Json, rule: str, port: int) -> str:
    """The span's name: the only destination's ``host:port``, else the rule's name, and the path."""
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
