"""Judges cases of istio-config-validator: the fields of the route that takes a request.

A delegate is looked up after the root's route, as istio-config-validator does it. Istio merges the
two, and drops a delegate's route whose match may lie outside the root's (two expressions, for
one): where that gives the request to another route, or to none, there is a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.cases.case import CaseRequest, RouteExpectation
from meshproof.cases.facts import unit_of
from meshproof.cases.mismatch import Mismatch
from meshproof.cases.planned_mesh import PlannedMesh
from meshproof.cases.validator_rules import route_fields
from meshproof.explain.origin import RuleOrigin
from meshproof.sources.location import parse_dotted

MakeDelegate = Callable[[str, str, list[str]], PlannedMesh]
NOBODY = "no route takes the request"


@dataclass(frozen=True)
class ValidatorMesh:
    """``merged`` is the mesh as Istio has it, ``roots`` has no delegates, ``delegate`` has one
    delegate (namespace, name) for some hosts."""

    merged: PlannedMesh
    roots: PlannedMesh
    delegate: MakeDelegate


@dataclass(frozen=True, slots=True)
class RouteJudgement:
    """``visited`` are the routes that took the request."""

    mismatches: list[Mismatch]
    visited: list[RuleOrigin]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class _Route:
    origin: RuleOrigin | None
    fields: dict[str, Any]
    hosts: tuple[str, ...] = ()


def judge_route(
    expect: RouteExpectation, request: CaseRequest, mesh: ValidatorMesh
) -> RouteJudgement:
    """Each field must equal the route's, or with ``match`` false differ from it."""
    route = _take(request, mesh.roots)
    visited = [route.origin] if route.origin else []
    mismatches: list[Mismatch] = []
    expected = dict(expect.fields)
    delegate = route.fields.get("delegate")
    if "delegate" in expected and (delegate or "route" not in expected):
        mismatches += _compare("delegate", expected["delegate"], route, expect)
    expected.pop("delegate", None)
    if delegate and "route" in expected:
        hosts = list(route.hosts)
        inner = mesh.delegate(delegate.get("namespace", ""), delegate.get("name", ""), hosts)
        route = _take(request, inner)
        visited += [route.origin] if route.origin else []
    for name, value in expected.items():
        mismatches += _compare(name, value, route, expect)
    warnings = list(_warn_of_merge(route, request, mesh)) if delegate else []
    return RouteJudgement(mismatches, visited, warnings)


def _take(request: CaseRequest, mesh: PlannedMesh) -> _Route:
    steps = mesh.explain(request).steps
    origin = steps[0].rule if steps else None
    resource = mesh.find(origin.kind, origin.namespace, origin.name) if origin else None
    if origin is None or resource is None:
        return _Route(None, {})
    fields = route_fields(resource, parse_dotted(unit_of(origin.field)))
    return _Route(origin, fields, tuple(resource.spec.hosts))


def _compare(name: str, value: Any, route: _Route, expect: RouteExpectation) -> Iterator[Mismatch]:
    actual, wanted = _plain(route.fields.get(name)), _plain(value)
    if (actual == wanted) != expect.match:
        text = f"{wanted}" if expect.match else f"anything but {wanted}"
        yield Mismatch(name, text, str(actual) if route.origin else NOBODY, route.origin)


def _warn_of_merge(route: _Route, request: CaseRequest, mesh: ValidatorMesh) -> Iterator[str]:
    merged = _take(request, mesh.merged)
    if (merged.origin and merged.origin.title) != (route.origin and route.origin.title):
        yield (
            f"{route.origin or NOBODY} passes here, but Istio merges a delegate into the route "
            f"that names it, and gives such a request to {merged.origin or 'no route'}"
        )


def _plain(value: Any) -> Any:
    """Without what is empty, which protobuf does not tell from what is left out."""
    if isinstance(value, dict):
        return {k: p for k, v in value.items() if (p := _plain(v)) not in (None, {}, [], "", 0)}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value
