"""Mismatches of headers and query parameters in routes and policies: HeaderMatcher and
QueryParameterMatcher."""

from __future__ import annotations

from meshproof.explain.request import Request
from meshproof.explain.string_match import Json, describe, matches


def header_mismatch(matcher: Json, request: Request) -> str:
    """Why a HeaderMatcher does not match a request; empty if it does.

    An inverted matcher of a value does not match an absent header, unless the matcher treats a
    missing header as empty. Of a header that is sent several times, one matching value is enough.
    """
    name, inverted = matcher["name"], matcher.get("invert_match", False)
    values = request.values(name)
    value = ",".join(values) if values else None
    if "present_match" in matcher or "string_match" not in matcher:
        return _presence_mismatch(matcher, name, value, inverted)
    if not values:
        if not matcher.get("treat_missing_header_as_empty", False):
            return f"{_describe_name(name)} is absent, wanted {describe(matcher['string_match'])}"
        values, value = [""], ""
    if any(matches(matcher["string_match"], one) for one in values) != inverted:
        return ""
    negation = "anything but " if inverted else ""
    return (
        f'{_describe_name(name)} is "{value}", wanted {negation}{describe(matcher["string_match"])}'
    )


def _presence_mismatch(matcher: Json, name: str, value: str | None, inverted: bool) -> str:
    expected = matcher.get("present_match", True) != inverted
    if (value is not None) == expected:
        return ""
    return f"{_describe_name(name)} is {'absent' if expected else 'there'}, wanted the other way"


def _describe_name(name: str) -> str:
    pseudo = {":method": "the method", ":authority": "the authority", ":scheme": "the scheme"}
    return pseudo.get(name, f"header {name}")


def parameter_mismatch(matcher: Json, request: Request) -> str:
    """Why a QueryParameterMatcher does not match a request; empty if it does."""
    name = matcher["name"]
    value = request.parameter(name)
    expected = describe(matcher["string_match"]) if "string_match" in matcher else "one"
    if value is None:
        absent_is_wanted = matcher.get("present_match") is False
        return "" if absent_is_wanted else f"query parameter {name} is absent, wanted {expected}"
    if "string_match" in matcher and not matches(matcher["string_match"], value):
        return f'query parameter {name} is "{value}", wanted {expected}'
    return ""
