"""What the filters before the router say of a request: pass, with what notes, or an answer.

Known: jwt_authn, rbac, fault, cors; a local rate limit is told, not counted, since it depends on
other requests. Of any other filter it is said that it is not looked into.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meshproof.explain import jwt_authn, rbac
from meshproof.explain.connection import AuthzRequest
from meshproof.explain.matching import fraction
from meshproof.explain.origin import Placed, RuleOrigin, of_policy
from meshproof.explain.result import MESH, Outcome
from meshproof.explain.string_match import Json, fits

_GRPC = {0: 200, 1: 499, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 12: 501, 14: 503, 16: 401}
DENIED = "RBAC: access denied"


@dataclass(frozen=True, slots=True)
class FilterResult:
    """``stops`` are answers with their chances (0 to 1); the rest goes on."""

    notes: tuple[str, ...] = ()
    stops: tuple[tuple[float, Outcome], ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FilterContext:
    """Where filters stand: the rule of the route, and the time."""

    rule: RuleOrigin | None
    placed: Placed
    now: float


def said_by(
    name: str, config: Json, own: Json | None, asked: AuthzRequest, place: FilterContext
) -> FilterResult:
    """``config`` is the filter's in the listener, ``own`` the nearest per-route configuration."""
    _, _, full = config.get("@type", "").rpartition("/")
    if full in _SILENT:
        return FilterResult()
    kind = full.rpartition(".")[2]
    asking = _KINDS.get(kind)
    if asking is None:
        return FilterResult((f"its filter {name} is not looked into",))
    return asking(config, own, asked, place)


_SILENT = ("envoy.extensions.filters.http.header_to_metadata.v3.Config",)
"""They answer nobody and lead nowhere else: what they leave behind is for metrics."""


def _fault(
    _config: Json, own: Json | None, _asked: AuthzRequest, place: FilterContext
) -> FilterResult:
    notes, stops = [], []
    delay, abort = (own or {}).get("delay"), (own or {}).get("abort")
    if delay and (share := fraction(delay.get("percentage", {}))) > 0:
        notes.append(f"delayed by {delay['fixed_delay']} in {100 * share:g} % of calls")
    if abort and (share := fraction(abort.get("percentage", {}))) > 0:
        status = abort.get("http_status") or _GRPC.get(abort.get("grpc_status", 0), 500)
        why = f"a fault is injected into {100 * share:g} % of calls"
        stops.append((share, Outcome(MESH, why, status, place.rule, body="fault filter abort")))
    return FilterResult(tuple(notes), tuple(stops))


def _cors(
    _config: Json, own: Json | None, asked: AuthzRequest, _place: FilterContext
) -> FilterResult:
    request = asked.request
    if own is None or request is None or (origin := request.get("origin")) is None:
        return FilterResult()
    allowed = any(fits(m, origin) for m in own.get("allow_origin_string_match", ()))
    preflight = request.method == "OPTIONS" and bool(request.get("access-control-request-method"))
    if not preflight:
        return FilterResult((f"CORS {'allows' if allowed else 'does not allow'} origin {origin}",))
    if not allowed and own.get("forward_not_matching_preflights", True):
        return FilterResult(
            (f"its CORS policy does not name origin {origin}: the preflight goes on",)
        )
    why = f"a CORS preflight from {'an allowed' if allowed else 'another'} origin is answered"
    return FilterResult(stops=((1.0, Outcome(MESH, why, 200)),))


def _jwt(config: Json, own: Json | None, asked: AuthzRequest, place: FilterContext) -> FilterResult:
    if own is None or asked.request is None:
        return FilterResult()
    request = asked.request
    preflight = request.method == "OPTIONS" and request.get("access-control-request-method")
    if config.get("bypass_cors_preflight") and preflight and request.get("origin"):
        return FilterResult()
    requirement = config.get("requirement_map", {}).get(own.get("requirement_name"), {})
    found = jwt_authn.checked(config, requirement, request, place.now)
    if found.failure:
        why = f"a RequestAuthentication takes no such token: {found.failure}"
        outcome = Outcome(MESH, why, found.status, body=found.failure)
        return FilterResult(stops=((1.0, outcome),))
    note = "its token is taken" if found.claims else "it has no token, and none is asked for here"
    return FilterResult(
        (note,), metadata={_JWT: found.claims} if found.claims else {}, assumed=found.assumed
    )


_JWT = "envoy.filters.http.jwt_authn"


def _rbac(
    config: Json, own: Json | None, asked: AuthzRequest, place: FilterContext
) -> FilterResult:
    rules = (own or {}).get("rbac", {}).get("rules") if own else config.get("rules")
    if not rules:
        return FilterResult()
    outcome, note = decided(rules, asked, place)
    if outcome is None:
        return FilterResult((note,) if note else ())
    return FilterResult(stops=((1.0, outcome),))


def decided(rules: Json, asked: AuthzRequest, place: FilterContext) -> tuple[Outcome | None, str]:
    """A refusal, or what let the request pass."""
    found = rbac.verdict(rules, asked)
    policy = of_policy(found.key) if found.key else None
    rule = place.placed(policy) if policy else None
    if found.allowed:
        return None, f"let in by {rule}" if rule else ""
    if rule is not None:
        return Outcome(MESH, f"{rule.title} denies it", 403, rule, body=DENIED), ""
    reasons = "; ".join(f"{_policy_name(key)}: {why}" for key, why in found.reasons)
    why = f"no AuthorizationPolicy lets this in ({reasons})"
    asked_of = [p for key, _ in found.reasons if (p := of_policy(key))]
    first = asked_of[0] if asked_of else None
    if first and len(asked_of) > 1:
        first = replace(first, field="")
    return Outcome(MESH, why, 403, place.placed(first) if first else None, body=DENIED), ""


def _policy_name(key: str) -> str:
    rule = of_policy(key)
    return f"{rule.namespace}/{rule.name} {rule.field}" if rule else key


def _limit(
    config: Json, own: Json | None, _asked: AuthzRequest, _place: FilterContext
) -> FilterResult:
    limit = own or config
    bucket = limit.get("token_bucket")
    enabled = limit.get("filter_enabled", {}).get("default_value", {"numerator": 0})
    enforced = limit.get("filter_enforced", {}).get("default_value", {"numerator": 0})
    if not bucket or not fraction(enabled) or not fraction(enforced):
        return FilterResult()
    count, each = bucket["max_tokens"], bucket["fill_interval"]
    fill = bucket.get("tokens_per_fill", 1)
    status = limit.get("status", {}).get("code", "TooManyRequests")
    answer = "429" if status == "TooManyRequests" else status
    return FilterResult((f"{answer} beyond {count} calls at once and {fill} more each {each}",))


_KINDS: dict[str, Callable[[Json, Json | None, AuthzRequest, FilterContext], FilterResult]] = {
    "HTTPFault": _fault,
    "Cors": _cors,
    "JwtAuthentication": _jwt,
    "RBAC": _rbac,
    "LocalRateLimit": _limit,
}


def nearest(levels: Sequence[Json], name: str) -> Json | None:
    """The per-route configuration that counts: of the route, its virtual host, its table."""
    for level in levels:
        found: Json | None = level.get("typed_per_filter_config", {}).get(name)
        if found is not None:
            return found
    return None
