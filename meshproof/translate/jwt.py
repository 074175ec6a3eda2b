"""RequestAuthentications as Envoy's jwt_authn filter.

Istio: pilot/pkg/security/authn, convertToEnvoyJwtConfig. The rules of all policies together, sorted
by issuer. A request without a token passes, one with a bad token gets 401. The filter puts the
claims into its dynamic metadata under ``payload``, where RBAC reads them.

Providers are part of the listener, so a change of them replaces it. Its routes name the
requirement, and each set of providers has a route table of its own: an open connection keeps both,
and no request meets new rules with old keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from meshproof.model.request_authentication import JWTRule, RequestAuthentication
from meshproof.translate.authz_matchers import JWT, PAYLOAD
from meshproof.translate.proto import Json, build_any, build_extension, seconds, socket_address
from meshproof.translate.world import Named, Outside

_TYPE = "envoy.extensions.filters.http.jwt_authn.v3"
_REQUIREMENT = "istio"
_FETCH_TIMEOUT = "5s"
_SPLIT = ("scope", "permission")
"""Claims whose value is always split at spaces."""
_KEYS_FOR = "1200s"
"""How long fetched keys are cached: istiod fetches them every 20 minutes."""


def collect_rules(policies: Iterable[Named[RequestAuthentication]]) -> tuple[JWTRule, ...]:
    """Every rule, sorted by issuer; rules of one issuer in the policies' order."""
    rules = [r for p in policies for r in p.spec.jwt_rules]
    return tuple(sorted(rules, key=lambda r: r.issuer))


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
        **_key_source(rule),
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


def _key_source(rule: JWTRule) -> Json:
    if rule.jwks:
        return {"local_jwks": {"inline_string": rule.jwks}}
    uri = str(rule.jwks_uri)
    wait = seconds(rule.timeout) if rule.timeout else _FETCH_TIMEOUT
    http_uri = {"uri": uri, "cluster": cluster_name(uri), "timeout": wait}
    return {
        "remote_jwks": {
            "http_uri": http_uri,
            "cache_duration": _KEYS_FOR,
            "async_fetch": {"fast_listener": False},
        }
    }


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


def cluster_name(uri: str) -> str:
    """The cluster that fetches keys from ``uri``."""
    host, port = _authority(uri)
    return f"jwks|{port}|{host}"


def _authority(uri: str) -> tuple[str, int]:
    parts = urlsplit(uri)
    return (parts.hostname or "").lower(), parts.port or 80


def build_clusters(rules: Iterable[JWTRule], outside: Iterable[Outside]) -> Iterator[Json]:
    """The clusters that fetch keys, at the real addresses of declared outside hosts."""
    addresses = {o.host.lower(): o.ports for o in outside}
    for uri in dict.fromkeys(str(r.jwks_uri) for r in rules if not r.jwks and r.jwks_uri):
        host, port = _authority(uri)
        address = addresses.get(host, {}).get(port)
        name = cluster_name(uri)
        members = (
            [{"endpoint": {"address": socket_address(address.ip, address.port)}}] if address else []
        )
        yield {
            "name": name,
            "type": "STATIC",
            "connect_timeout": _FETCH_TIMEOUT,
            "load_assignment": {
                "cluster_name": name,
                "endpoints": [{"lb_endpoints": members}] if members else [],
            },
        }
