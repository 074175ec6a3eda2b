"""What leaves an Envoy: the request with its route's header operations, host and path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from meshproof.explain.request import Request
from meshproof.explain.string_match import Json, replaced

_COMMAND = re.compile(r"%REQ\(([^)%]+)\)%")


def sent_on(request: Request, levels: Iterable[Json], action: Json, match: Json) -> Request:
    """``levels`` are the holders of header operations, the narrowest (a weighted cluster) first,
    then route, virtual host and table; ``action`` is the route's, ``match`` its match."""
    made = request
    for level in levels:
        made = changed(made, level)
        if "host_rewrite_literal" in level:
            made = replace(made, authority=level["host_rewrite_literal"])
    if "host_rewrite_literal" in action:
        made = replace(made, authority=action["host_rewrite_literal"])
    if request.is_connect:
        return made
    return replace(made, path=new_path(action, match, made.path))


def changed(request: Request, level: Json) -> Request:
    """Removed first, then added."""
    made = request
    for name in level.get("request_headers_to_remove", ()):
        made = made.without(name)
    for entry in level.get("request_headers_to_add", ()):
        name = entry["header"]["key"].lower()
        value = _value(entry["header"].get("value", ""), request)
        how = entry.get("append_action", "APPEND_IF_EXISTS_OR_ADD")
        there = made.get(name) is not None
        if how == "ADD_IF_ABSENT" and there:
            continue
        if how == "OVERWRITE_IF_EXISTS" and not there:
            continue
        if how.startswith("OVERWRITE"):
            made = made.without(name)
        made = made.with_header(name, value)
    return made


def _value(text: str, request: Request) -> str:
    """Formatted as far as the request itself says it; other commands stay as they are."""
    return _COMMAND.sub(lambda m: request.get(m[1]) or "", text).replace("%%", "%")


def new_path(action: Json, match: Json, path: str) -> str:
    """``prefix_rewrite`` puts its text in the place of what the match names; ``regex_rewrite``
    works on the path without the query."""
    plain, mark, query = path.partition("?")
    if "prefix_rewrite" in action:
        plain = action["prefix_rewrite"] + plain[_matched(match, plain) :]
        inner, inner_mark, inner_query = plain.partition("?")
        if inner_mark and mark:
            return f"{inner}?{inner_query}&{query}"
    elif "regex_rewrite" in action:
        rule = action["regex_rewrite"]
        plain = replaced(rule["pattern"]["regex"], rule.get("substitution", ""), plain)
    return plain + mark + query


def _matched(match: Json, path: str) -> int:
    """How many characters of the path a match has named: of an expression, all."""
    if "safe_regex" in match or "path" in match:
        return len(path)
    return len(match.get("path_separated_prefix") or match.get("prefix") or "")


def mentions(action: Json) -> bool:
    """Whether a route changes path or host."""
    names = ("prefix_rewrite", "regex_rewrite", "host_rewrite_literal")
    return any(name in action for name in names)
