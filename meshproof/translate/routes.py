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
from meshproof.translate.registry import carries
from meshproof.translate.route_action import default_action, followed, redirect, route
from meshproof.translate.route_match import is_catch_all, path_text, route_match
from meshproof.translate.route_metadata import metadata
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


def rule_routes(view: ProxyView, rule: Named[VirtualService], door: RouteContext) -> list[Json]:
    """Routes in document order, one a match entry, up to the first that catches all.

    Entries for other proxies (``gateways``, ``sourceLabels``, ``sourceNamespace``) and other
    ports are left out. An empty list means that the rule says nothing here.
    """
    routes: list[Json] = []
    for number, http in enumerate(rule.spec.http):
        matches: Sequence[HTTPMatchRequest | None] = http.match or [None]
        for index, match in enumerate(matches):
            if match is not None and not _concerns(view, match, rule.namespace, door):
                continue
            made = _route(view, rule, http, match, door)
            made["metadata"] = metadata(rule, http, number, None if match is None else index)
            routes.append(made)
            if is_catch_all(routes[-1]["match"]):
                return routes
    return routes


def _concerns(view: ProxyView, match: HTTPMatchRequest, namespace: str, door: RouteContext) -> bool:
    if match.port is not None and match.port != door.port:
        return False
    if match.gateways:
        return any(_key(name, namespace) in door.gateways for name in match.gateways)
    proxy = view.proxy
    return carries(proxy.labels, match.source_labels) and match.source_namespace in (
        None,
        "",
        proxy.namespace,
    )


def _route(
    view: ProxyView,
    rule: Named[VirtualService],
    http: HTTPRoute,
    match: HTTPMatchRequest | None,
    door: RouteContext,
) -> Json:
    matched = route_match(match, gateway=rule.gateway)
    result: Json = {"match": matched}
    name = http.name or ""
    if match is not None and match.name:
        name = f"{name}.{match.name}"
    if name:
        result["name"] = name
    if match is not None and match.stat_prefix:
        result["stat_prefix"] = match.stat_prefix
    result |= _action(view, rule, http, matched, door)
    if filters := build_fault(http.fault) | build_cors(http.cors_policy):
        result["typed_per_filter_config"] = filters
    result["decorator"] = {"operation": _operation(result, rule.name, door.port)}
    return result


def _action(
    view: ProxyView, rule: Named[VirtualService], http: HTTPRoute, matched: Json, door: RouteContext
) -> Json:
    if http.route:
        made = route(view, http, rule.namespace, door.port)
        return followed(made, matched) if rule.gateway else made
    changes = translate_headers(http.headers).fields
    if http.redirect is not None:
        return redirect(http.redirect, door.port, secure=door.secure) | changes
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
    path = path_text(result["match"])
    cluster = ClusterName.parse(result.get("route", {}).get("cluster", ""))
    if cluster is None:
        return f"{rule}:{port}{path}"
    return f"{cluster.host}:{cluster.port}{path}"


def default_routes(view: ProxyView, host: str, port: int) -> Iterator[Json]:
    """The only route of a service without a VirtualService."""
    yield {
        "name": "default",
        "match": {"prefix": "/"},
        "decorator": {"operation": f"{host}:{port}/*"},
        **default_action(view, host, port),
    }
