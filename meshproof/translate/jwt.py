"""RequestAuthentications as Envoy's jwt_authn filter.

Istio: pilot/pkg/security/authn, convertToEnvoyJwtConfig. The rules of all policies together, sorted
by issuer. A request without a token passes, one with a bad token gets 401. The filter puts the
claims into its dynamic metadata under ``payload``, where RBAC reads them. Keys are always part of
the configuration: the mesh fetches those of a ``jwksUri``, as istiod does.

Providers are part of the listener, so a change of them replaces it. Its routes name the
requirement, and each set of providers has a route table of its own: an open connection keeps both,
and no request meets new rules with old keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from meshproof.model.jwks import KeySource
from meshproof.model.request_authentication import JWTRule, RequestAuthentication
from meshproof.translate.authz_matchers import JWT, PAYLOAD
from meshproof.translate.proto import Json, build_any, build_extension
from meshproof.translate.world import Named

_TYPE = "envoy.extensions.filters.http.jwt_authn.v3"
_REQUIREMENT = "istio"
_MODULUS = (
    "vLqyTHsrYFmtBjk5xCWXxFceUfr2UyYA3kIo-XjaWm1kGVgBXKrx5r734PPadpp5ouoISV2WMCMWTXX3"
    "MgZUBuHwNCohaFvDIpsvhtdNd1ue8R1kDAXYVGxOM6tyFVFwkB5EFbsZgwQwL1Cha6V1Fkvq6r6jM7WL"
    "AbC-aEGQqq4vSZxka9lCe1drrpqgmwsh8IAut3-VIC6OvML0tk_V8QLYoZy65xa5cXThojRdJoAMkx0q"
    "uWyxMGcZWeQIvQTXCKSoAUskSrF9ce7V1jprUsnmnl6EpqGNHwSHbCt2QPZ6pAu-byt_4QfoX8YuEbOx"
    "oSwiXNAuGSbLT9PttrcXVw"
)
NOBODY_S_KEY = json.dumps({"keys": [{"kty": "RSA", "e": "AQAB", "n": _MODULUS}]})
"""A public key whose private half was thrown away: what stands for keys that could not be fetched,
so that no token of theirs is taken, as in Istio (PublicOnlyJwks in pilot/pkg/model)."""
_SPLIT = ("scope", "permission")
"""Claims whose value is always split at spaces."""


def collect_rules(
    policies: Iterable[Named[RequestAuthentication]], keys: Mapping[KeySource, str]
) -> tuple[JWTRule, ...]:
    """Every rule with its keys, sorted by issuer; rules of one issuer in the policies' order."""
    rules = [_with_keys(r, keys) for p in policies for r in p.spec.jwt_rules]
    return tuple(sorted(rules, key=lambda r: r.issuer))


def _with_keys(rule: JWTRule, keys: Mapping[KeySource, str]) -> JWTRule:
    source = rule.key_source
    if source is None:
        return rule
    return rule.model_copy(update={"jwks": keys.get(source, NOBODY_S_KEY)})


def build_http_filters(rules: Sequence[JWTRule], *, rerouting: bool = False) -> list[Json]:
    """The filter, if there are rules; ``rerouting``: routes may depend on claims."""
    if not rules:
        return []
    names = [f"origins-{index}" for index in range(len(rules))]
    providers = {
        name: _build_provider(rule, rerouting=rerouting)
        for name, rule in zip(names, rules, strict=True)
    }
    return [
        build_extension(
            JWT,
            f"{_TYPE}.JwtAuthentication",
            providers=providers,
            requirement_map={_REQUIREMENT: _build_requirement(names)},
            bypass_cors_preflight=True,
        )
    ]


def _build_requirement(names: list[str]) -> Json:
    """One of several rules must accept the token; or each accepts it or finds none, since they
    may read the same header."""
    required: list[Json] = [{"provider_name": name} for name in names]
    optional: list[Json] = [
        _any_of([requirement, {"allow_missing": {}}]) for requirement in required
    ]
    if len(required) == 1:
        return optional[0]
    return _any_of([*required, {"requires_all": {"requirements": optional}}])


def _any_of(requirements: list[Json]) -> Json:
    return {"requires_any": {"requirements": requirements}}


def build_route_config(rules: Sequence[JWTRule]) -> Json:
    """``typed_per_filter_config`` of routes: the requirement by its name."""
    if not rules:
        return {}
    return {JWT: build_any(f"{_TYPE}.PerRouteConfig", requirement_name=_REQUIREMENT)}


def route_table_name(name: str, rules: Sequence[JWTRule]) -> str:
    """The name of the route table for a listener with these rules."""
    if not rules:
        return name
    text = json.dumps([r.model_dump(mode="json") for r in rules], sort_keys=True)
    return f"{name}jwt-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _build_provider(rule: JWTRule, *, rerouting: bool) -> Json:
    split = [*_SPLIT, *(c for c in rule.space_delimited_claims if c not in _SPLIT)]
    provider: Json = {
        "issuer": rule.issuer,
        "payload_in_metadata": PAYLOAD,
        "normalize_payload_in_metadata": {"space_delimited_claims": split},
        "forward": rule.forward_original_token,
        "local_jwks": {"inline_string": rule.jwks},
        **_token_locations(rule),
    }
    if rerouting:
        provider["clear_route_cache"] = True
    if rule.audiences:
        provider["audiences"] = rule.audiences
    if rule.output_payload_to_header:
        provider["forward_payload_header"] = rule.output_payload_to_header
    if rule.output_claim_to_headers:
        provider["claim_to_headers"] = [
            {"header_name": c.header, "claim_name": c.claim} for c in rule.output_claim_to_headers
        ]
    return provider


def _token_locations(rule: JWTRule) -> Json:
    """Where the token is read from; by default Authorization, then ``access_token`` (Envoy's)."""
    locations: Json = {}
    if rule.from_headers:
        locations["from_headers"] = [
            {"name": h.name, "value_prefix": h.prefix or ""} for h in rule.from_headers
        ]
    if rule.from_params:
        locations["from_params"] = rule.from_params
    if rule.from_cookies:
        locations["from_cookies"] = rule.from_cookies
    return locations
