"""HeaderMatchers and query parameters of routes and policies: fitting, or why not."""

from __future__ import annotations

from meshproof.explain.request import Request
from meshproof.explain.string_match import Json, fits, words


def why_not(matcher: Json, request: Request) -> str:
    """Why a HeaderMatcher does not fit a request; empty where it does.

    An inverted matcher of a value does not fit where the header is absent, unless absent counts as
    empty.
    """
    name, inverted = matcher["name"], matcher.get("invert_match", False)
    value = request.get(name)
    if "present_match" in matcher or "string_match" not in matcher:
        return _presence(matcher, name, value, inverted)
    if value is None:
        if not matcher.get("treat_missing_header_as_empty", False):
            return f"{_named(name)} is absent, wanted {words(matcher['string_match'])}"
        value = ""
    if fits(matcher["string_match"], value) != inverted:
        return ""
    unwanted = "anything but " if inverted else ""
    return f'{_named(name)} is "{value}", wanted {unwanted}{words(matcher["string_match"])}'


def _presence(matcher: Json, name: str, value: str | None, inverted: bool) -> str:
    wanted = matcher.get("present_match", True) != inverted
    if (value is not None) == wanted:
        return ""
    return f"{_named(name)} is {'absent' if wanted else 'there'}, wanted the other way"


def _named(name: str) -> str:
    pseudo = {":method": "the method", ":authority": "the authority", ":scheme": "the scheme"}
    return pseudo.get(name, f"header {name}")


def why_no_parameter(matcher: Json, request: Request) -> str:
    """The same for a QueryParameterMatcher."""
    name = matcher["name"]
    value = request.parameter(name)
    wanted = words(matcher["string_match"]) if "string_match" in matcher else "one"
    if value is None:
        absent_is_wanted = matcher.get("present_match") is False
        return "" if absent_is_wanted else f"query parameter {name} is absent, wanted {wanted}"
    if "string_match" in matcher and not fits(matcher["string_match"], value):
        return f'query parameter {name} is "{value}", wanted {wanted}'
    return ""
