"""One RouteRule as one entry of a VirtualService's ``http``, with 0.4's defaults written out.

- timeout: Envoy's 15 s, which 0.4 left in place; 0 s counted as unset. v1's default is none.
- retries: none (v1: two), else on ``5xx,connect-failure,refused-stream``, previous hosts included.
- fault: without a percent, or with 0, it did nothing and is left out.
- redirect: 301. 0.4 read no timeout, retry, mirror or header on a redirect.
- mirror: every request.
- websocketUpgrade: nothing; v1 takes an upgrade on every route (0.4 took only upgrades there).
"""

from __future__ import annotations

from typing import Any

from meshproof.istio04.destination_rules import DestinationRules
from meshproof.istio04.references import HostReference, resolve_host
from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import CorsPolicy, HTTPFault, RouteRule
from meshproof.sources.location import FieldPath, Origin

TIMEOUT = 15.0
"""Seconds: Envoy's own default, which Istio 0.4 did not override."""
RETRY_ON = "5xx,connect-failure,refused-stream"
DEFAULT_ROUTE = "default-route"
"""0.4's own name for the route after all rules; it was the span's operation."""


def lower_route(
    rule: Resource, host: HostReference, match: dict[str, Any], destination_rules: DestinationRules
) -> dict[str, Any]:
    """``http[]`` of a VirtualService as plain data. ``host`` is the rule's destination."""
    spec: RouteRule = rule.spec
    route: dict[str, Any] = {"name": rule.name}
    if match:
        route["match"] = [match]
    if spec.redirect:
        return route | {
            "redirect": _present(uri=spec.redirect.uri, authority=spec.redirect.authority)
            | {"redirectCode": 301}
        }
    route["route"] = _destinations(rule, host, destination_rules)
    if spec.rewrite:
        route["rewrite"] = _present(uri=spec.rewrite.uri, authority=spec.rewrite.authority)
    route |= {"timeout": _timeout(spec), "retries": _retries(spec)}
    if fault := _fault(spec.http_fault):
        route["fault"] = fault
    if spec.mirror:
        path = ("spec", "mirror")
        mirror_host = resolve_host(spec.mirror, rule)
        subset = destination_rules.subset_for(mirror_host, spec.mirror.labels, rule, path)
        route["mirror"] = _present(host=mirror_host.host, subset=subset)
        route["mirrorPercentage"] = {"value": 100.0}
    if spec.cors_policy:
        route["corsPolicy"] = _cors(spec.cors_policy)
    if spec.append_headers:
        route["headers"] = {"request": {"add": dict(spec.append_headers)}}
    return route


def build_default_route(
    rule: Resource, host: HostReference, destination_rules: DestinationRules
) -> dict[str, Any]:
    """0.4's last route: the whole service, for requests that no rule took."""
    destination_rules.subset_for(host, {}, rule, ("spec", "destination"))
    return {
        "name": DEFAULT_ROUTE,
        "route": [{"destination": {"host": host.host}}],
        "timeout": TIMEOUT,
        "retries": {"attempts": 0},
    }


def origins_of_route(rule: Resource, index: int) -> dict[FieldPath, Origin]:
    """The field that a user wrote for each part of ``http[index]``."""
    spec: RouteRule = rule.spec
    route_path: FieldPath = ("spec", "http", index)
    origins = {route_path: rule.origin(("spec",))}
    for new, old in (
        ("match", "match"), ("redirect", "redirect"), ("rewrite", "rewrite"),
        ("fault", "httpFault"), ("mirror", "mirror"), ("route", "destination"),
    ):  # fmt: skip
        origins[*route_path, new] = rule.origin(("spec", old))
    for number, weighted in enumerate(spec.route):
        part: FieldPath = (*route_path, "route", number)
        original: FieldPath = ("spec", "route", number)
        origins[part] = rule.origin(original)
        origins[*part, "destination", "subset"] = rule.origin((*original, "labels"))
        host_path = (*original, "destination") if weighted.destination else ("spec", "destination")
        origins[*part, "destination", "host"] = rule.origin(host_path)
    return origins


def _destinations(
    rule: Resource, host: HostReference, destination_rules: DestinationRules
) -> list[dict[str, Any]]:
    """No ``route`` is the whole service; a single one takes everything, whatever its weight."""
    spec: RouteRule = rule.spec
    if not spec.route:
        destination_rules.subset_for(host, {}, rule, ("spec", "destination"))
        return [{"destination": {"host": host.host}}]
    entries = []
    for index, weighted in enumerate(spec.route):
        route_host = resolve_host(weighted.destination, rule) if weighted.destination else host
        subset = destination_rules.subset_for(
            route_host, weighted.labels, rule, ("spec", "route", index)
        )
        entry: dict[str, Any] = {"destination": _present(host=route_host.host, subset=subset)}
        if len(spec.route) > 1:
            entry["weight"] = weighted.weight
        entries.append(entry)
    return entries


def _timeout(spec: RouteRule) -> float:
    return (spec.http_req_timeout.simple_timeout.timeout if spec.http_req_timeout else 0) or TIMEOUT


def _retries(spec: RouteRule) -> dict[str, Any]:
    simple = spec.http_req_retries.simple_retry if spec.http_req_retries else None
    if simple is None or simple.attempts == 0:
        return {"attempts": 0}
    return {
        "attempts": simple.attempts,
        **_present(perTryTimeout=simple.per_try_timeout or None),
        "retryOn": RETRY_ON,
        "retryIgnorePreviousHosts": False,
    }


def _cors(policy: CorsPolicy) -> dict[str, Any]:
    fields = _present(maxAge=policy.max_age, allowCredentials=policy.allow_credentials)
    for name, values in (
        ("allowMethods", policy.allow_methods),
        ("allowHeaders", policy.allow_headers),
        ("exposeHeaders", policy.expose_headers),
    ):
        if values:
            fields[name] = list(values)
    return {"allowOrigins": [{"exact": origin} for origin in policy.allow_origin], **fields}


def _fault(fault: HTTPFault | None) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if fault and fault.delay and fault.delay.percent > 0:
        percentage = {"value": fault.delay.percent}
        fields["delay"] = {"fixedDelay": fault.delay.fixed_delay, "percentage": percentage}
    if fault and fault.abort and fault.abort.percent > 0:
        percentage = {"value": fault.abort.percent}
        fields["abort"] = {"httpStatus": fault.abort.http_status, "percentage": percentage}
    return fields


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
