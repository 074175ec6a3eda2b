"""Rewriting: the request after its route's header operations and rewrites of host and path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from meshproof.explain.request import Request
from meshproof.explain.string_match import Json, replace_all

_COMMAND = re.compile(r"%REQ\(([^)%]+)\)%")


def rewrite_request(request: Request, levels: Iterable[Json], action: Json, match: Json) -> Request:
    """``levels`` have header operations, the most specific (a weighted cluster) first, then route,
    virtual host and table; ``action`` is the route's, ``match`` its match."""
    result = request
    for level in levels:
        result = apply_headers(result, level)
        if "host_rewrite_literal" in level:
            result = replace(result, authority=level["host_rewrite_literal"])
    if "host_rewrite_literal" in action:
        result = replace(result, authority=action["host_rewrite_literal"])
    if request.is_connect:
        return result
    return replace(result, path=rewrite_path(action, match, result.path))


def with_originals(
    request: Request, forwarded: Request, levels: Iterable[Json], action: Json
) -> Request:
    """``forwarded`` with the path and the host that a rewrite replaced, as Envoy tells them to the
    next hop."""
    result = forwarded
    if "prefix_rewrite" in action or "regex_rewrite" in action:
        name = "x-envoy-original-path"
        result = result.without(name).with_header(name, request.path)
    if any("host_rewrite_literal" in level for level in (action, *levels)):
        name = "x-envoy-original-host"
        result = result.without(name).with_header(name, request.authority)
    return result


def apply_headers(request: Request, level: Json) -> Request:
    """Removals before additions. A value that turns out empty changes nothing."""
    result = request
    for name in level.get("request_headers_to_remove", ()):
        result = result.without(name)
    for entry in level.get("request_headers_to_add", ()):
        name = entry["header"]["key"].lower()
        value = _value(entry["header"].get("value", ""), request)
        append_action = entry.get("append_action", "APPEND_IF_EXISTS_OR_ADD")
        present = result.get(name) is not None
        if append_action == "ADD_IF_ABSENT" and present:
            continue
        if append_action == "OVERWRITE_IF_EXISTS" and not present:
            continue
        if not value and not entry.get("keep_empty_value"):
            continue
        if append_action.startswith("OVERWRITE"):
            result = result.without(name)
        result = result.with_header(name, value)
    return result


def _value(text: str, request: Request) -> str:
    """With ``%REQ()%`` commands replaced from the request; other commands stay."""
    return _COMMAND.sub(lambda m: request.get(m[1]) or "", text).replace("%%", "%")


def rewrite_path(action: Json, match: Json, path: str) -> str:
    """``prefix_rewrite`` replaces what the match names; ``regex_rewrite`` applies to the path
    without the query."""
    path_only, mark, query = path.partition("?")
    if "prefix_rewrite" in action:
        path_only = action["prefix_rewrite"] + path_only[_matched_length(match, path_only) :]
        inner, inner_mark, inner_query = path_only.partition("?")
        if inner_mark and mark:
            return f"{inner}?{inner_query}&{query}"
    elif "regex_rewrite" in action:
        rule = action["regex_rewrite"]
        path_only = replace_all(rule["pattern"]["regex"], rule.get("substitution", ""), path_only)
    return path_only + mark + query


def _matched_length(match: Json, path: str) -> int:
    """How many characters of the path a match covers: for an expression, all."""
    if "safe_regex" in match or "path" in match:
        return len(path)
    return len(match.get("path_separated_prefix") or match.get("prefix") or "")


def rewrites_path_or_host(action: Json) -> bool:
    """Whether a route action changes path or host."""
    names = ("prefix_rewrite", "regex_rewrite", "host_rewrite_literal")
    return any(name in action for name in names)
