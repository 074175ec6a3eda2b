"""What jwt_authn does to the headers and the query of a request (Envoy: authenticator.cc and
extractor.cc): a token that is taken goes no further, and its claims may be told in headers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from meshproof.explain.request import Request
from meshproof.explain.string_match import Json


@dataclass(frozen=True, slots=True)
class TokenOfRequest:
    """A token, and how the request looks without it; a cookie stays."""

    text: str
    remove: Callable[[Request], Request]


def without_claim_headers(provider: Json, request: Request) -> Request:
    """Headers that tell of a token come from the filter alone, never from a client."""
    names = [c["header_name"] for c in provider.get("claim_to_headers", ())]
    for name in (*names, provider.get("forward_payload_header", "")):
        request = request.without(name)
    return request


def with_token_taken(
    provider: Json, request: Request, token: TokenOfRequest, claims: Json
) -> Request:
    if name := provider.get("forward_payload_header"):
        request = request.with_header(name, token.text.split(".")[1])
    for entry in provider.get("claim_to_headers", ()):
        if text := _header_value(_claim(claims, entry["claim_name"])):
            request = request.with_header(entry["header_name"], text)
    return request if provider.get("forward") else token.remove(request)


def without_parameter(request: Request, name: str) -> Request:
    """Without any query parameter of that name; without a query if none is left."""
    path = request.path.partition("?")[0]
    rest = [f"{k}={v}" for k, v in request.parameters() if k != name]
    return replace(request, path=path + ("?" + "&".join(rest) if rest else ""))


def _claim(claims: Json, name: str) -> Any:
    """A claim of that name, else the one that its dots lead to."""
    value: Any = claims
    for key in [name] if name in claims else name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _header_value(claim: Any) -> str:
    """Numbers as doubles, like Envoy's; lists and objects as JSON in base64."""
    if isinstance(claim, bool):
        return "true" if claim else "false"
    if isinstance(claim, int | float):
        number = float(claim)
        return str(int(number)) if number >= 0 and number.is_integer() else f"{number:.6f}"
    if isinstance(claim, list | dict):
        text = json.dumps(claim, separators=(",", ":"), ensure_ascii=False)
        text = text.replace("<", "\\u003c").replace(">", "\\u003e")
        return base64.b64encode(text.encode()).decode()
    return claim or ""
