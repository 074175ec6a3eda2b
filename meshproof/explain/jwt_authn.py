"""Envoy's jwt_authn filter: which token a request carries, and whether it meets the requirement of
its route."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from operator import methodcaller
from typing import Any

from meshproof.explain import jws, token_effects
from meshproof.explain.request import Request
from meshproof.explain.string_match import Json
from meshproof.explain.token_effects import TokenOfRequest

LEEWAY = 60.0
"""Seconds of clock skew that Envoy tolerates."""
MISSING = "Jwt is missing"
UNKNOWN_ISSUER = "Jwt issuer is not configured"
ASSUMED = "assumed"
"""In a key set without keys, which no Envoy has: the URL where a mesh would fetch them."""
_VAGUENESS = {UNKNOWN_ISSUER: 1, MISSING: 2}
"""Of several failures, the one that is not in here, or has the lowest number, is reported."""


@dataclass(frozen=True, slots=True)
class JwtResult:
    """``failure`` is the body of Envoy's refusal, empty if the requirement is met; ``claims`` is
    the filter's dynamic metadata."""

    failure: str = ""
    status: int = 401
    claims: Json = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    request: Request | None = field(default=None, compare=False)
    """The request as the filter passes it on."""

    @property
    def missing(self) -> bool:
        return self.failure == MISSING


def assume_keys(url: str) -> str:
    """The key set of a mesh that does not run: tokens count as signed by a key of ``url``."""
    return json.dumps({"keys": [], ASSUMED: url})


def check_requirement(config: Json, requirement: Json, request: Request, now: float) -> JwtResult:
    """``now`` in seconds since 1970."""
    if "provider_name" in requirement:
        return _check_provider(config["providers"][requirement["provider_name"]], request, now)
    if "allow_missing" in requirement or "allow_missing_or_failed" in requirement:
        return JwtResult(request=request)
    if "requires_any" in requirement:
        return _check_any(config, requirement["requires_any"]["requirements"], request, now)
    if "requires_all" in requirement:
        return _check_all(config, requirement["requires_all"]["requirements"], request, now)
    raise ValueError(f"jwt_authn with an unknown requirement: {sorted(requirement)}")


def _check_any(config: Json, parts: list[Json], request: Request, now: float) -> JwtResult:
    """The first that is met; ``allow_missing`` counts only if all others find no token."""
    may_be_missing = any("allow_missing" in part for part in parts)
    results = []
    for part in parts:
        if "allow_missing" in part:
            continue
        result = check_requirement(config, part, request, now)
        if not result.failure:
            return result
        request = result.request or request
        results.append(result)
    if may_be_missing and all(result.missing for result in results):
        return JwtResult(request=request)
    return min(reversed(results), key=lambda result: _VAGUENESS.get(result.failure, 0))


def _check_all(config: Json, parts: list[Json], request: Request, now: float) -> JwtResult:
    claims: Json = {}
    assumptions: list[str] = []
    for part in parts:
        result = check_requirement(config, part, request, now)
        if result.failure:
            return result
        request = result.request or request
        claims |= result.claims
        assumptions += result.assumptions
    return JwtResult(claims=claims, assumptions=tuple(assumptions), request=request)


def _check_provider(provider: Json, request: Request, now: float) -> JwtResult:
    request = token_effects.without_claim_headers(provider, request)
    result = JwtResult(MISSING)
    for token in list(_tokens(provider, request)):
        result = _check_token(provider, token.text, now)
        if result.failure:
            break
        _, claims = jws.decode(token.text)
        request = token_effects.with_token_taken(provider, request, token, claims)
    return replace(result, request=request)


def _tokens(provider: Json, request: Request) -> Iterator[TokenOfRequest]:
    """The tokens where a provider looks; by default Authorization and ``access_token``."""
    headers, params = provider.get("from_headers", ()), provider.get("from_params", ())
    cookies = provider.get("from_cookies", ())
    if not (headers or params or cookies):
        headers = [{"name": "Authorization", "value_prefix": "Bearer "}]
        params = ["access_token"]
    for entry in headers:
        value = request.get(entry["name"])
        prefix = entry.get("value_prefix", "")
        if value is not None and prefix in value:
            text = value[value.index(prefix) + len(prefix) :].strip()
            text = text.split(",")[0].split(" ")[0] if prefix else text
            yield TokenOfRequest(text, methodcaller("without", entry["name"]))
    for name in params:
        if (value := request.parameter(name)) is not None:
            yield TokenOfRequest(value, partial(token_effects.without_parameter, name=name))
    for name in cookies:
        if (value := request.cookie(name)) is not None:
            yield TokenOfRequest(value, lambda request: request)


def _check_token(provider: Json, token: str, now: float) -> JwtResult:
    try:
        _, claims = jws.decode(token)
    except ValueError as error:
        return JwtResult(str(error))
    issuer = provider.get("issuer", "")
    if issuer and claims.get("iss") != issuer:
        return JwtResult(UNKNOWN_ISSUER)
    if _number(claims, "nbf", now) > now + LEEWAY:
        return JwtResult("Jwt not yet valid")
    if _number(claims, "exp", now) < now - LEEWAY:
        return JwtResult("Jwt is expired")
    if not _is_audience_allowed(provider.get("audiences", ()), claims.get("aud")):
        return JwtResult("Audiences in Jwt are not allowed", 403)
    return _check_signature(provider, token, claims)


def _check_signature(provider: Json, token: str, claims: Json) -> JwtResult:
    local = provider["local_jwks"]["inline_string"]
    metadata = {provider.get("payload_in_metadata", ""): _split_claims(provider, claims)}
    if source := _assumed_source(local):
        return JwtResult(
            claims=metadata, assumptions=(f"the token is signed by a key of {source}",)
        )
    return JwtResult(jws.signature_failure(token, local), claims=metadata)


def _assumed_source(keys: str) -> str:
    key_set = json.loads(keys)
    return "" if key_set["keys"] else str(key_set.get(ASSUMED, ""))


def _number(claims: Json, name: str, default: float) -> float:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) else default


def _is_audience_allowed(allowed: Any, claim: Any) -> bool:
    if not allowed:
        return True
    audiences = claim if isinstance(claim, list) else [claim]
    return any(_bare_audience(a) == _bare_audience(w) for a in audiences for w in allowed)


def _bare_audience(audience: object) -> str:
    """Envoy compares audiences without scheme and trailing slash."""
    text = str(audience)
    for scheme in ("https://", "http://"):
        text = text.removeprefix(scheme)
    return text.removesuffix("/")


def _split_claims(provider: Json, claims: Json) -> Json:
    """Space-delimited claims become lists."""
    names = provider.get("normalize_payload_in_metadata", {}).get("space_delimited_claims", ())
    return {k: v.split(" ") if k in names and isinstance(v, str) else v for k, v in claims.items()}
