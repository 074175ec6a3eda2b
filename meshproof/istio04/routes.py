"""One RouteRule as one entry of a VirtualService's ``http``, 0.4's defaults written out.

- timeout: Envoy's 15 s, which 0.4 left in place; 0 s counted as unset. v1's default is none.
- retries: none (v1: two), else on ``5xx,connect-failure,refused-stream``, previous hosts included.
- fault: a percent of 0, or none, did nothing and is left out.
- redirect: 301. 0.4 read no timeout, retry, mirror or header on a redirect.
- mirror: every request.
- websocketUpgrade: nothing; v1 takes an upgrade on every route (0.4 took nothing else there).
"""

from __future__ import annotations

from typing import Any

from meshproof.istio04.refs import Target, target
from meshproof.istio04.subsets import Subsets
from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import CorsPolicy, HTTPFault, RouteRule
from meshproof.sources.location import FieldPath, Origin

TIMEOUT = 15.0
"""Seconds: Envoy's own default, which Istio 0.4 did not override."""
RETRY_ON = "5xx,connect-failure,refused-stream"
DEFAULT_ROUTE = "default-route"
"""0.4's own name for the route behind all rules; it showed as the span's operation."""


def lower_route(
    rule: Resource, host: Target, match: dict[str, Any], subsets: Subsets
) -> dict[str, Any]:
    """``http[]`` of a VirtualService in YAML's form. ``host`` is what the rule is about."""
    spec: RouteRule = rule.spec
    route: dict[str, Any] = {"name": rule.name}
    if match:
        route["match"] = [match]
    if spec.redirect:
        return route | {
            "redirect": _given(uri=spec.redirect.uri, authority=spec.redirect.authority)
            | {"redirectCode": 301}
        }
    route["route"] = _destinations(rule, host, subsets)
    if spec.rewrite:
        route["rewrite"] = _given(uri=spec.rewrite.uri, authority=spec.rewrite.authority)
    route |= {"timeout": _timeout(spec), "retries": _retries(spec)}
    if fault := _fault(spec.http_fault):
        route["fault"] = fault
    if spec.mirror:
        at = ("spec", "mirror")
        to = target(spec.mirror, rule)
        subset = subsets.use(to, spec.mirror.labels, rule, at)
        route["mirror"] = _given(host=to.host, subset=subset)
        route["mirrorPercentage"] = {"value": 100.0}
    if spec.cors_policy:
        route["corsPolicy"] = _cors(spec.cors_policy)
    if spec.append_headers:
        route["headers"] = {"request": {"add": dict(spec.append_headers)}}
    return route


def default_route(rule: Resource, host: Target, subsets: Subsets) -> dict[str, Any]:
    """0.4's last route: the whole service, for what no rule took."""
    subsets.use(host, {}, rule, ("spec", "destination"))
    return {
        "name": DEFAULT_ROUTE,
        "route": [{"destination": {"host": host.host}}],
        "timeout": TIMEOUT,
        "retries": {"attempts": 0},
    }


def route_origins(rule: Resource, index: int) -> dict[FieldPath, Origin]:
    """What a user wrote for each part of ``http[index]``."""
    spec: RouteRule = rule.spec
    here: FieldPath = ("spec", "http", index)
    origins = {here: rule.origin(("spec",))}
    for new, old in (
        ("match", "match"), ("redirect", "redirect"), ("rewrite", "rewrite"),
        ("fault", "httpFault"), ("mirror", "mirror"), ("route", "destination"),
    ):  # fmt: skip
        origins[*here, new] = rule.origin(("spec", old))
    for number, weighted in enumerate(spec.route):
        part: FieldPath = (*here, "route", number)
        written: FieldPath = ("spec", "route", number)
        origins[part] = rule.origin(written)
        origins[*part, "destination", "subset"] = rule.origin((*written, "labels"))
        by = (*written, "destination") if weighted.destination else ("spec", "destination")
        origins[*part, "destination", "host"] = rule.origin(by)
    return origins


def _destinations(rule: Resource, host: Target, subsets: Subsets) -> list[dict[str, Any]]:
    """No ``route`` is the whole service; a single one takes everything, whatever its weight."""
    spec: RouteRule = rule.spec
    if not spec.route:
        subsets.use(host, {}, rule, ("spec", "destination"))
        return [{"destination": {"host": host.host}}]
    made = []
    for index, weighted in enumerate(spec.route):
        to = target(weighted.destination, rule) if weighted.destination else host
        subset = subsets.use(to, weighted.labels, rule, ("spec", "route", index))
        entry: dict[str, Any] = {"destination": _given(host=to.host, subset=subset)}
        if len(spec.route) > 1:
            entry["weight"] = weighted.weight
        made.append(entry)
    return made


def _timeout(spec: RouteRule) -> float:
    return (spec.http_req_timeout.simple_timeout.timeout if spec.http_req_timeout else 0) or TIMEOUT


def _retries(spec: RouteRule) -> dict[str, Any]:
    simple = spec.http_req_retries.simple_retry if spec.http_req_retries else None
    if simple is None or simple.attempts == 0:
        return {"attempts": 0}
    return {
        "attempts": simple.attempts,
        **_given(perTryTimeout=simple.per_try_timeout or None),
        "retryOn": RETRY_ON,
        "retryIgnorePreviousHosts": False,
    }


def _cors(policy: CorsPolicy) -> dict[str, Any]:
    made = _given(maxAge=policy.max_age, allowCredentials=policy.allow_credentials)
    for name, values in (
        ("allowMethods", policy.allow_methods),
        ("allowHeaders", policy.allow_headers),
        ("exposeHeaders", policy.expose_headers),
    ):
        if values:
            made[name] = list(values)
    return {"allowOrigins": [{"exact": origin} for origin in policy.allow_origin], **made}


def _fault(fault: HTTPFault | None) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if fault and fault.delay and fault.delay.percent > 0:
        percentage = {"value": fault.delay.percent}
        made["delay"] = {"fixedDelay": fault.delay.fixed_delay, "percentage": percentage}
    if fault and fault.abort and fault.abort.percent > 0:
        percentage = {"value": fault.abort.percent}
        made["abort"] = {"httpStatus": fault.abort.http_status, "percentage": percentage}
    return made


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
