"""Routes and matches that no request reaches, because an earlier one takes them all.

Istio keeps document order and Envoy takes the first match; istiod itself stops after a catch-all
(no match, or a path of ``/`` or ``.*`` and nothing else).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from meshproof.errors import Problem
from meshproof.lint.context import MESH, LintContext
from meshproof.model.resource import Resource
from meshproof.model.virtual_service_route import HTTPMatchRequest, StringMatch

_MAPS = ("headers", "without_headers", "query_params")
_URI = ("uri", "ignore_uri_case")
_SOURCE = ("source_labels", "source_namespace", "gateways")
_NO_CONDITION = ("name", "stat_prefix")
_VALUES = HTTPMatchRequest.model_fields.keys() - {*_MAPS, *_URI, *_SOURCE, *_NO_CONDITION}
"""Every other field: equal values match the same requests, no value matches all."""
_EVERYTHING = HTTPMatchRequest.empty()


def find_dead_routes(context: LintContext) -> Iterator[Problem]:
    for rule in context.of("VirtualService"):
        gateways = frozenset(rule.spec.gateways or [MESH])
        earlier: list[tuple[int, HTTPMatchRequest]] = []
        closed: int | None = None
        for index, route in enumerate(rule.spec.http):
            if closed is not None:
                yield _unreachable(rule, index, closed)
                continue
            entries = route.match or [_EVERYTHING]
            yield from _find_shadowed(rule, index, entries, earlier, gateways)
            if route.delegate:  # the delegate's own matches may take less
                continue
            earlier += [(index, entry) for entry in entries]
            if any(covers(entry, _EVERYTHING, gateways) for entry in entries):
                closed = index


def find_dead_l4_routes(context: LintContext) -> Iterator[Problem]:
    """The same of ``tcp`` and ``tls`` routes: matches that are repeated, and routes after one
    without a match (IST0130, IST0131)."""
    for rule in context.of("VirtualService"):
        for kind in ("tcp", "tls"):
            earlier: list[Any] = []
            closed: int | None = None
            for index, route in enumerate(getattr(rule.spec, kind)):
                path: tuple[Any, ...] = ("spec", kind, index)
                if closed is not None:
                    yield rule.problem(
                        path,
                        f"is dead: spec.{kind}[{closed}] before it takes every connection",
                        remedy="move it up, or narrow the earlier one",
                    )
                    continue
                for number, match in enumerate(route.match):
                    if match in earlier:
                        yield rule.problem(
                            (*path, "match", number),
                            "is repeated: an earlier match takes every such connection",
                            remedy="remove it",
                        )
                earlier += route.match
                closed = None if route.match else index


def covers(first: HTTPMatchRequest, later: HTTPMatchRequest, gateways: frozenset[str]) -> bool:
    """Whether ``first`` takes every request that ``later`` would; False if that is uncertain.

    ``gateways`` are those of the VirtualService. A match with gateways ignores its source fields,
    as in Istio.
    """
    return (
        _covers_uri(first, later)
        and _covers_source(first, later, gateways)
        and all(getattr(first, f) in (getattr(_EVERYTHING, f), getattr(later, f)) for f in _VALUES)
        and all(getattr(first, f).items() <= getattr(later, f).items() for f in _MAPS)
    )


def _covers_uri(first: HTTPMatchRequest, later: HTTPMatchRequest) -> bool:
    path = _restricting_path(first.uri)
    if path is None:
        return True
    if first.uri == later.uri and first.ignore_uri_case == later.ignore_uri_case:
        return True
    if path.prefix is None or later.uri is None or first.ignore_uri_case or later.ignore_uri_case:
        return False
    inner = later.uri.exact if later.uri.exact is not None else later.uri.prefix
    return inner is not None and inner.startswith(path.prefix)


def _restricting_path(uri: StringMatch | None) -> StringMatch | None:
    """``uri``, or None if it takes every path."""
    everything = uri is None or uri.prefix == "/" or uri.regex == ".*"
    if everything or (uri is not None and uri == StringMatch.empty()):
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


def _unreachable(rule: Resource, index: int, closed: int) -> Problem:
    return rule.problem(
        ("spec", "http", index),
        f"is dead: {_name_route(rule, closed)} before it takes every request; "
        "Istio makes no route of it",
        remedy="move it up, or narrow the earlier one",
    )


def _find_shadowed(
    rule: Resource,
    index: int,
    entries: Sequence[HTTPMatchRequest],
    earlier: Sequence[tuple[int, HTTPMatchRequest]],
    gateways: frozenset[str],
) -> Iterator[Problem]:
    for number, entry in enumerate(entries):
        by = next((i for i, first in earlier if covers(first, entry, gateways)), None)
        if by is not None:
            path: tuple[Any, ...] = ("spec", "http", index, "match", number)
            yield rule.problem(
                path,
                f"is shadowed: {_name_route(rule, by)} before it takes every such request; "
                "Istio keeps document order, so this match is never reached",
                remedy="move it up, or remove it",
            )


def _name_route(rule: Resource, index: int) -> str:
    """``spec.http[0] (name)``, or the document that the route was generated from."""
    origin = rule.location.origins.get(("spec", "http", index))
    if origin:
        return f"{origin.resource} ({origin.file}:{origin.line})"
    name = rule.spec.http[index].name
    return f"spec.http[{index}]" + (f" ({name})" if name else "")
