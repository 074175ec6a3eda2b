"""What changed between Istio 0.4 and v1 for given rules, for the user who converts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import DestinationPolicy, RouteRule

Condition = Callable[[Resource], bool]
_KINDS = ("RouteRule", "EgressRule", "DestinationPolicy")


def changes(resources: Iterable[Resource]) -> list[str]:
    """One line for each change, with the rules that it concerns; empty if none is of 0.4."""
    old = [r for r in resources if r.kind in _KINDS]
    lines = []
    for text, concerns in _CHANGES:
        titles = [r.title for r in old if concerns(r)]
        if titles:
            lines.append(f"{text} ({', '.join(titles)})")
    if old:
        lines.append(_OTHER_SERVICES)
    return lines


def _route(applies: Callable[[RouteRule], bool]) -> Condition:
    return lambda r: r.kind == "RouteRule" and r.spec.redirect is None and applies(r.spec)


def _policy(applies: Callable[[DestinationPolicy], bool]) -> Condition:
    return lambda r: r.kind == "DestinationPolicy" and applies(r.spec)


_OTHER_SERVICES = (
    "services that no rule names keep v1's defaults: no timeout, two retries of failed "
    "connections, LEAST_REQUEST; Istio 0.4 had 15 s, no retry, ROUND_ROBIN and Envoy's limits"
)
_CHANGES: Sequence[tuple[str, Condition]] = (
    (
        "timeout: Istio 0.4 ended a request after Envoy's 15 s, v1 never does; timeout: 15s is "
        "written out",
        _route(lambda s: s.http_req_timeout is None),
    ),
    (
        "retries: Istio 0.4 made none by default, v1 makes two; retries.attempts: 0 is written out",
        _route(lambda s: s.http_req_retries is None),
    ),
    (
        "retries: Istio 0.4 retried on every 5xx, v1 only where no answer came; retryOn is "
        "written out",
        _route(lambda s: s.http_req_retries is not None),
    ),
    (
        "load balancing: Istio 0.4 took ROUND_ROBIN, v1 takes LEAST_REQUEST; a DestinationRule "
        "sets the former",
        _route(lambda _: True),
    ),
    (
        "websocketUpgrade: v1 upgrades on every route; Istio 0.4 refused all other requests on "
        "such a route",
        _route(lambda s: s.websocket_upgrade),
    ),
    (
        "circuitBreaker: Istio 0.4 left Envoy's ejection by success rate on, v1 cannot; limits "
        "that are not set were Envoy's (1024) and are written out",
        _policy(lambda s: s.circuit_breaker is not None),
    ),
    (
        "httpMaxRetries: Istio 0.4 never used it and had 3 retries at a time; maxRetries: 3 is "
        "written out",
        _policy(lambda s: bool(s.circuit_breaker and s.circuit_breaker.simple_cb.http_max_retries)),
    ),
    (
        "source: v1 honours a workloadSelector only in the caller's own namespace; the rule is "
        "there",
        _policy(lambda s: s.source is not None),
    ),
    (
        "timeout: Istio 0.4 ended a request to the outside after 15 s, v1 never does; nothing is "
        "written, since only a VirtualService could",
        lambda r: r.kind == "EgressRule",
    ),
    (
        "unknown hosts: Istio 0.4 answered 404; v1 lets them pass (ALLOW_ANY, its default) or "
        "answers 502 (REGISTRY_ONLY)",
        lambda r: r.kind == "EgressRule",
    ),
)
