"""HTTP filters before the router: whether each passes a request, or sends a local reply.

Evaluated: jwt_authn, rbac, fault, cors. A local rate limit, an external authorization server and
the modules of WasmPlugins are only noted, since they depend on others.
For any other filter the explanation notes that it is not evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meshproof.explain import ext_authz, jwt_authn, rbac
from meshproof.explain.connection import AuthzRequest
from meshproof.explain.matching import fraction
from meshproof.explain.origin import Locate, RuleOrigin, plugin_origin, policy_origin
from meshproof.explain.request import Request
from meshproof.explain.result import MESH, Outcome
from meshproof.explain.string_match import Json, matches

DENIED = "RBAC: access denied"


@dataclass(frozen=True, slots=True)
class FilterResult:
    """``local_replies`` are answers with their chances (0 to 1); the other requests go on."""

    notes: tuple[str, ...] = ()
    local_replies: tuple[tuple[float, Outcome], ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    policies: tuple[RuleOrigin, ...] = ()
    """Those that let the request in."""
    request: Request | None = None
    """The request as it goes on, if the filter changes it."""


@dataclass(frozen=True, slots=True)
class FilterContext:
    """What filters know beside the request: the rule of the route, and the time."""

    rule: RuleOrigin | None
    locate: Locate
    now: float


def run_filter(
    name: str, config: Json, route_config: Json | None, authz: AuthzRequest, context: FilterContext
) -> FilterResult:
    """``config`` is the listener's, ``route_config`` the most specific per-route configuration."""
    _, _, type_name = config.get("@type", "").rpartition("/")
    if type_name in _IGNORED:
        return FilterResult()
    kind = type_name.rpartition(".")[2]
    if plugin := plugin_origin(name):
        return _plugin(context.locate(plugin))
    evaluate = _FILTERS.get(kind)
    if evaluate is None:
        return FilterResult((f"its filter {name} is not looked into",))
    return evaluate(config, route_config, authz, context)


_IGNORED = (
    "envoy.extensions.filters.http.header_to_metadata.v3.Config",
    "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
    "io.istio.http.peer_metadata.Config",
    "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
    "stats.PluginConfig",
)
"""They neither reply nor reroute: they serve metrics and ALPN. The last three are Istio's own."""


def _plugin(plugin: RuleOrigin) -> FilterResult:
    """What a module does is its own affair: it may answer, or change the request."""
    return FilterResult(
        (f"{plugin} sees it",), assumptions=(f"the module of {plugin.title} lets it in unchanged",)
    )


def _fault(
    _config: Json, route_config: Json | None, _authz: AuthzRequest, context: FilterContext
) -> FilterResult:
    notes, local_replies = [], []
    delay, abort = (route_config or {}).get("delay"), (route_config or {}).get("abort")
    if delay and (share := fraction(delay.get("percentage", {}))) > 0:
        notes.append(f"delayed by {delay['fixed_delay']} in {100 * share:g} % of calls")
    if abort and (share := fraction(abort.get("percentage", {}))) > 0:
        status = abort.get("http_status") or 200  # a gRPC status is told in a response of 200
        why = f"a fault is injected into {100 * share:g} % of calls"
        local_replies.append(
            (share, Outcome(MESH, why, status, context.rule, body="fault filter abort"))
        )
    return FilterResult(tuple(notes), tuple(local_replies))


def _cors(
    _config: Json, route_config: Json | None, authz: AuthzRequest, _context: FilterContext
) -> FilterResult:
    request = authz.request
    if route_config is None or request is None or (origin := request.get("origin")) is None:
        return FilterResult()
    allowed = any(matches(m, origin) for m in route_config.get("allow_origin_string_match", ()))
    preflight = request.method == "OPTIONS" and bool(request.get("access-control-request-method"))
    if not preflight:
        return FilterResult((f"CORS {'allows' if allowed else 'does not allow'} origin {origin}",))
    if not allowed and route_config.get("forward_not_matching_preflights", True):
        return FilterResult(
            (f"its CORS policy does not name origin {origin}: the preflight goes on",)
        )
    why = f"a CORS preflight from {'an allowed' if allowed else 'another'} origin is answered"
    return FilterResult(local_replies=((1.0, Outcome(MESH, why, 200)),))


def _jwt(
    config: Json, route_config: Json | None, authz: AuthzRequest, context: FilterContext
) -> FilterResult:
    if route_config is None or authz.request is None:
        return FilterResult()
    request = authz.request
    preflight = request.method == "OPTIONS" and request.get("access-control-request-method")
    if config.get("bypass_cors_preflight") and preflight and request.get("origin"):
        return FilterResult()
    requirement = config.get("requirement_map", {}).get(route_config.get("requirement_name"), {})
    result = jwt_authn.check_requirement(config, requirement, request, context.now)
    if result.failure:
        why = f"a RequestAuthentication takes no such token: {result.failure}"
        outcome = Outcome(MESH, why, result.status, body=result.failure)
        return FilterResult(local_replies=((1.0, outcome),))
    note = "its token is taken" if result.claims else "it has no token, and none is asked for here"
    return FilterResult(
        (note,),
        metadata={rbac.JWT_METADATA: result.claims} if result.claims else {},
        assumptions=result.assumptions,
        request=result.request,
    )


def _rbac(
    config: Json, route_config: Json | None, authz: AuthzRequest, context: FilterContext
) -> FilterResult:
    own = route_config.get("rbac", {}) if route_config else config
    metadata = ext_authz.shadow_metadata(own, authz, _RBAC)
    notes = ext_authz.dry_run_notes(own, authz, context.locate)
    rules = own.get("rules")
    if not rules:
        return FilterResult(notes, metadata=metadata)
    outcome, policy = decide_rbac(rules, authz, context)
    if outcome is not None:
        return FilterResult(notes, local_replies=((1.0, outcome),))
    if policy is None:
        return FilterResult(notes, metadata=metadata)
    return FilterResult((*notes, f"let in by {policy}"), metadata=metadata, policies=(policy,))


_RBAC = "envoy.filters.http.rbac"
"""The namespace of the filter's dynamic metadata, whatever the filter's own name is."""


def _ext_authz(
    config: Json, _route_config: Json | None, authz: AuthzRequest, context: FilterContext
) -> FilterResult:
    check = ext_authz.find_check(config, authz, context.locate)
    if check is None:
        return FilterResult()
    rule, server, assumption = check
    return FilterResult((f"{rule} asks {server}",), assumptions=(assumption,), policies=(rule,))


_BAD_CUSTOM = "-deny-due-to-bad-CUSTOM-action"


def decide_rbac(
    rules: Json, authz: AuthzRequest, context: FilterContext
) -> tuple[Outcome | None, RuleOrigin | None]:
    """The denial, or None with the policy that allowed the request, if one had to."""
    decision = rbac.evaluate(rules, authz)
    policy = policy_origin(decision.key) if decision.key else None
    rule = context.locate(policy) if policy else None
    if decision.allowed:
        return None, rule
    if rule is not None:
        why = f"{rule.title} denies it"
        if decision.key.endswith(_BAD_CUSTOM):
            why += ": its provider is not one of MeshConfig's, or of no known service"
        return Outcome(MESH, why, 403, rule, body=DENIED), None
    reasons = "; ".join(f"{_policy_name(key)}: {why}" for key, why in decision.reasons)
    why = f"no AuthorizationPolicy lets this in ({reasons})"
    policies = [p for key, _ in decision.reasons if (p := policy_origin(key))]
    first = policies[0] if policies else None
    if first and len(policies) > 1:
        first = replace(first, field="")
    return Outcome(MESH, why, 403, context.locate(first) if first else None, body=DENIED), None


def _policy_name(key: str) -> str:
    rule = policy_origin(key)
    return f"{rule.namespace}/{rule.name} {rule.field}" if rule else key


def _limit(
    config: Json, route_config: Json | None, _authz: AuthzRequest, _context: FilterContext
) -> FilterResult:
    limit = route_config or config
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


_FILTERS: dict[str, Callable[[Json, Json | None, AuthzRequest, FilterContext], FilterResult]] = {
    "HTTPFault": _fault,
    "Cors": _cors,
    "JwtAuthentication": _jwt,
    "RBAC": _rbac,
    "ExtAuthz": _ext_authz,
    "LocalRateLimit": _limit,
}


def nearest_config(levels: Sequence[Json], name: str) -> Json | None:
    """The per-route configuration in force: of the route, else its virtual host, else its table."""
    for level in levels:
        config: Json | None = level.get("typed_per_filter_config", {}).get(name)
        if config is not None:
            return config
    return None
