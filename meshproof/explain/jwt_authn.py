"""Envoy's jwt_authn: which token a request has, and whether the requirement of its route is met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from meshproof.explain import jws
from meshproof.explain.request import Request
from meshproof.explain.string_match import Json

LEEWAY = 60.0
"""Seconds that Envoy forgives a clock."""
MISSING = "Jwt is missing"
FOREIGN = "Jwt issuer is not configured"
_VAGUE = {FOREIGN: 1, MISSING: 2}
"""Of several failures one that says more than these is told."""


@dataclass(frozen=True, slots=True)
class Checked:
    """``failure`` is the body of Envoy's refusal, empty where the requirement is met; ``claims``
    is what is left in the filter's metadata."""

    failure: str = ""
    status: int = 401
    claims: Json = field(default_factory=dict)
    assumed: tuple[str, ...] = ()

    @property
    def missing(self) -> bool:
        return self.failure == MISSING


def checked(config: Json, requirement: Json, request: Request, now: float) -> Checked:
    """``now`` in seconds since 1970."""
    if "provider_name" in requirement:
        return _provider(config["providers"][requirement["provider_name"]], request, now)
    if "allow_missing" in requirement:
        return Checked()
    if "allow_missing_or_failed" in requirement:
        return Checked()
    if "requires_any" in requirement:
        return _any(config, requirement["requires_any"]["requirements"], request, now)
    if "requires_all" in requirement:
        return _all(config, requirement["requires_all"]["requirements"], request, now)
    raise ValueError(f"jwt_authn with an unknown requirement: {sorted(requirement)}")


def _any(config: Json, parts: list[Json], request: Request, now: float) -> Checked:
    """The first that is met; ``allow_missing`` counts only where every other says that nothing is
    there."""
    lenient = any("allow_missing" in part for part in parts)
    found = [checked(config, p, request, now) for p in parts if "allow_missing" not in p]
    for one in found:
        if not one.failure:
            return one
    if lenient and all(one.missing for one in found):
        return Checked()
    return min(reversed(found), key=lambda one: _VAGUE.get(one.failure, 0))


def _all(config: Json, parts: list[Json], request: Request, now: float) -> Checked:
    claims: Json = {}
    assumed: list[str] = []
    for part in parts:
        one = checked(config, part, request, now)
        if one.failure:
            return one
        claims |= one.claims
        assumed += one.assumed
    return Checked(claims=claims, assumed=tuple(assumed))


def _provider(provider: Json, request: Request, now: float) -> Checked:
    tokens = list(_tokens(provider, request))
    if not tokens:
        return Checked(MISSING)
    found = [_token(provider, token, now) for token in tokens]
    return next((one for one in found if one.failure), found[-1])


def _tokens(provider: Json, request: Request) -> Iterator[str]:
    """Where a provider looks; Authorization and ``access_token`` where it says nothing."""
    named, params = provider.get("from_headers", ()), provider.get("from_params", ())
    cookies = provider.get("from_cookies", ())
    if not (named or params or cookies):
        named = [{"name": "Authorization", "value_prefix": "Bearer "}]
        params = ["access_token"]
    for entry in named:
        value = request.get(entry["name"])
        prefix = entry.get("value_prefix", "")
        if value is not None and prefix in value:
            text = value[value.index(prefix) + len(prefix) :].strip()
            yield text.split(",")[0].split(" ")[0] if prefix else text
    yield from (v for name in params if (v := request.parameter(name)) is not None)
    yield from (v for name in cookies if (v := request.cookie(name)) is not None)


def _token(provider: Json, token: str, now: float) -> Checked:
    try:
        _, claims = jws.decode(token)
    except ValueError as error:
        return Checked(str(error))
    issuer = provider.get("issuer", "")
    if issuer and claims.get("iss") != issuer:
        return Checked(FOREIGN)
    if _number(claims, "nbf", now) > now + LEEWAY:
        return Checked("Jwt not yet valid")
    if _number(claims, "exp", now) < now - LEEWAY:
        return Checked("Jwt is expired")
    if not _for_us(provider.get("audiences", ()), claims.get("aud")):
        return Checked("Audiences in Jwt are not allowed", 403)
    return _signed(provider, token, claims)


def _signed(provider: Json, token: str, claims: Json) -> Checked:
    local = provider.get("local_jwks", {}).get("inline_string")
    metadata = {provider.get("payload_in_metadata", ""): _spread(provider, claims)}
    if local is None:
        uri = provider.get("remote_jwks", {}).get("http_uri", {}).get("uri", "")
        return Checked(claims=metadata, assumed=(f"the token is signed by a key of {uri}",))
    if not jws.is_signed(token, local):
        return Checked("Jwt verification fails")
    return Checked(claims=metadata)


def _number(claims: Json, name: str, otherwise: float) -> float:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) else otherwise


def _for_us(wanted: Any, said: Any) -> bool:
    if not wanted:
        return True
    given = said if isinstance(said, list) else [said]
    return any(_plain(a) == _plain(w) for a in given for w in wanted)


def _plain(audience: object) -> str:
    """Envoy compares without the scheme and a slash at the end."""
    text = str(audience)
    for scheme in ("https://", "http://"):
        text = text.removeprefix(scheme)
    return text.removesuffix("/")


def _spread(provider: Json, claims: Json) -> Json:
    """Claims of several words, parted by spaces, become lists."""
    spaced = provider.get("normalize_payload_in_metadata", {}).get("space_delimited_claims", ())
    return {k: v.split(" ") if k in spaced and isinstance(v, str) else v for k, v in claims.items()}
