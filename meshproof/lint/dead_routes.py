"""Routes and matches that no request reaches, because an earlier one takes them all.

Istio keeps document order; Envoy takes the first that matches, and istiod even stops after a
catch-all (no match, or a path of ``/`` or ``.*`` and nothing else).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from meshproof.errors import Problem
from meshproof.lint.view import MESH, View
from meshproof.model.resource import Resource
from meshproof.model.virtual_service_route import HTTPMatchRequest, StringMatch

_MAPS = ("headers", "without_headers", "query_params")
_VALUES = ("scheme", "method", "authority", "port")
_EVERYTHING = HTTPMatchRequest()


def dead_routes(view: View) -> Iterator[Problem]:
    for rule in view.of("VirtualService"):
        gateways = frozenset(rule.spec.gateways or [MESH])
        seen: list[tuple[int, HTTPMatchRequest]] = []
        closed: int | None = None
        for index, route in enumerate(rule.spec.http):
            if closed is not None:
                yield _behind(rule, index, closed)
                continue
            entries = route.match or [_EVERYTHING]
            yield from _shadowed(rule, index, entries, seen, gateways)
            if route.delegate:  # it takes what its own matches say, which may be less
                continue
            seen += [(index, entry) for entry in entries]
            if any(covers(entry, _EVERYTHING, gateways) for entry in entries):
                closed = index


def covers(first: HTTPMatchRequest, later: HTTPMatchRequest, gateways: frozenset[str]) -> bool:
    """Whether ``first`` takes every request that ``later`` would; False where that is unsure.

    ``gateways`` are the VirtualService's own. A match with gateways ignores its source fields, as
    Istio does.
    """
    return (
        _covers_uri(first, later)
        and _covers_source(first, later, gateways)
        and all(getattr(first, f) in (None, getattr(later, f)) for f in _VALUES)
        and all(getattr(first, f).items() <= getattr(later, f).items() for f in _MAPS)
    )


def _covers_uri(first: HTTPMatchRequest, later: HTTPMatchRequest) -> bool:
    path = _path(first.uri)
    if path is None:
        return True
    if first.uri == later.uri and first.ignore_uri_case == later.ignore_uri_case:
        return True
    if path.prefix is None or later.uri is None or first.ignore_uri_case or later.ignore_uri_case:
        return False
    inner = later.uri.exact if later.uri.exact is not None else later.uri.prefix
    return inner is not None and inner.startswith(path.prefix)


def _path(uri: StringMatch | None) -> StringMatch | None:
    """``uri``, or None where it takes every path."""
    everything = uri is None or uri.prefix == "/" or uri.regex == ".*"
    if everything or (uri is not None and uri == StringMatch()):
        return None
    return uri


def _covers_source(
    first: HTTPMatchRequest, later: HTTPMatchRequest, gateways: frozenset[str]
) -> bool:
    if first.gateways:
        return (frozenset(later.gateways) or gateways) <= frozenset(first.gateways)
    if later.gateways:
        return not first.source_labels and first.source_namespace is None
    return (
        first.source_labels.items() <= later.source_labels.items()
        and first.source_namespace in (None, later.source_namespace)
    )


def _behind(rule: Resource, index: int, closed: int) -> Problem:
    return rule.problem(
        ("spec", "http", index),
        f"is dead: {_place(rule, closed)} before it takes every request; "
        "Istio makes no route of it",
        remedy="move it up, or narrow the earlier one",
    )


def _shadowed(
    rule: Resource,
    index: int,
    entries: Sequence[HTTPMatchRequest],
    seen: Sequence[tuple[int, HTTPMatchRequest]],
    gateways: frozenset[str],
) -> Iterator[Problem]:
    for number, entry in enumerate(entries):
        by = next((i for i, first in seen if covers(first, entry, gateways)), None)
        if by is not None:
            path: tuple[Any, ...] = ("spec", "http", index, "match", number)
            yield rule.problem(
                path,
                f"is shadowed: {_place(rule, by)} before it takes every such request; "
                "Istio keeps document order, so this match is never reached",
                remedy="move it up, or remove it",
            )


def _place(rule: Resource, index: int) -> str:
    """``spec.http[0] (name)``, or the document that it was made out of."""
    origin = rule.location.origins.get(("spec", "http", index))
    if origin:
        return f"{origin.resource} ({origin.file}:{origin.line})"
    name = rule.spec.http[index].name
    return f"spec.http[{index}]" + (f" ({name})" if name else "")
