"""Matches of routes in one form, VirtualService's, and a text that each takes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
_KINDS = {"Exact": "exact", "PathPrefix": "prefix", "RegularExpression": "regex"}


def matches_of_rule(kind: str, rule: Json) -> Iterator[Json]:
    """The matches of a rule of the Gateway API, as VirtualService would write them."""
    for match in rule.get("matches") or [{}]:
        result: dict[str, Any] = {
            "headers": _by_name((match or {}).get("headers")),
            "queryParams": _by_name((match or {}).get("queryParams")),
        }
        method = (match or {}).get("method")
        if kind == "GRPCRoute":
            result |= _grpc(method or {})
        elif method:
            result["method"] = {"exact": method}
        if path := (match or {}).get("path"):
            result["uri"] = _string(path)
        yield {k: v for k, v in result.items() if v}


def _grpc(method: Json) -> Json:
    """A gRPC call is a POST to ``/SERVICE/METHOD``."""
    service, name = method.get("service") or "any.Service", method.get("method") or "Any"
    return {"method": {"exact": "POST"}, "uri": {"exact": f"/{service}/{name}"}}


def _by_name(entries: Any) -> dict[str, Json]:
    return {e["name"]: _string(e) for e in entries or ()}


def _string(match: Json) -> Json:
    return {_KINDS.get(match.get("type", "Exact"), "exact"): match.get("value", "")}


def text_of(match: Any) -> str:
    """A text that a StringMatch takes; for an expression, where one is easily seen."""
    if not isinstance(match, dict):
        return ""
    if isinstance(exact := match.get("exact", match.get("prefix")), str):
        return exact
    regex = match.get("regex")
    return _example(regex) if isinstance(regex, str) else ""


def _example(regex: str) -> str:
    """The expression without its optional groups and wildcards; empty if that is no match."""
    text = re.sub(r"\([^()]*\)[?*]", "", regex.strip("^$"))
    text = re.sub(r"\(([^()|]*)\|[^()]*\)", r"\1", text)
    text = text.replace(".*", "").replace(".+", "x")
    text = re.sub(r"\[([^]\\^])[^]]*\][+*]?", r"\1", text).replace("\\d+", "1").replace("\\", "")
    try:
        return text if re.fullmatch(regex, text) else ""
    except re.error:
        return ""


def query_of(match: Json) -> str:
    """``?a=1``; empty without a match of the query. As it is: Envoy decodes nothing to match."""
    pairs = (f"{k}={text_of(v) or 'any'}" for k, v in (match.get("queryParams") or {}).items())
    query = "&".join(pairs)
    return f"?{query}" if query else ""


def describe_match(match: Json) -> str:
    """In words, for the name of a case."""
    parts = []
    for key in ("method", "uri", "authority", "scheme"):
        if isinstance(match.get(key), dict):
            parts += [f"{k} {v}" for k, v in match[key].items()]
    for group in ("headers", "queryParams"):
        for name, value in (match.get(group) or {}).items():
            parts += [f"{name} {v}" for v in (value or {"": "is there"}).values()]
    if match.get("port"):
        parts.append(f"port {match['port']}")
    return ", ".join(parts) or "everything else"
