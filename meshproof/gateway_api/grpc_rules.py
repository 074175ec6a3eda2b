"""GRPCRoutes as HTTPRoutes: a method is a path (Istio: createGRPCURIMatch in
pilot/pkg/config/kube/gateway/conversion.go)."""

from __future__ import annotations

from meshproof.model.grpc_route import GRPCMethodMatch, GRPCRouteMatch, GRPCRouteRule
from meshproof.model.http_route import HTTPPathMatch, HTTPRouteMatch, HTTPRouteRule

_ANY = "[^/]+"


def as_http_rule(rule: GRPCRouteRule) -> HTTPRouteRule:
    return HTTPRouteRule.model_construct(
        name=rule.name,
        matches=[_match(match) for match in rule.matches],
        filters=list(rule.filters),
        backend_refs=list(rule.backend_refs),
    )


def _match(match: GRPCRouteMatch) -> HTTPRouteMatch:
    return HTTPRouteMatch.model_construct(
        path=HTTPPathMatch() if match.method is None else _path(match.method),
        headers=list(match.headers),
    )


def _path(method: GRPCMethodMatch) -> HTTPPathMatch:
    service, name = method.service, method.method
    if method.type == "Exact" and service and name:
        return HTTPPathMatch.model_construct(type="Exact", value=f"/{service}/{name}")
    if method.type == "Exact" and service:
        return HTTPPathMatch.model_construct(type="PathPrefix", value=f"/{service}/")
    pattern = f"/{service or _ANY}/{name or '.+'}"
    return HTTPPathMatch.model_construct(type="RegularExpression", value=pattern)
