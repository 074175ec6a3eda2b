"""Coverage: which routes and policies of the rules under test a case visits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from meshproof.cases.facts import unit_of
from meshproof.cases.results import Coverage, RuleUnit
from meshproof.explain.origin import RuleOrigin
from meshproof.model.resource import Resource

_ROUTES = {
    "VirtualService": ("http", "tls", "tcp"),
    "HTTPRoute": ("rules",),
    "GRPCRoute": ("rules",),
}
_OTHER_ROUTES = ("RouteRule",)
_POLICIES = {"AuthorizationPolicy": ("rules",)}

Key = tuple[str, str, str]
"""A rule's title and file, and the field of one of its units."""


def measure(rules: Iterable[Resource], visited: Iterable[RuleOrigin]) -> Coverage:
    """A denial by absence visits the policies that are named as its reason."""
    routes = dict(_units(rules, _ROUTES, _OTHER_ROUTES))
    policies = dict(_units(rules, _POLICIES, ()))
    keys = keys_of(visited)
    unvisited = [u for key, u in (routes | policies).items() if key not in keys]
    return Coverage(len(routes), len(policies), tuple(unvisited))


def keys_of(visited: Iterable[RuleOrigin]) -> set[Key]:
    """The units that rules with a say belong to, and the whole of each rule."""
    return {
        (origin.title, origin.file, field)
        for origin in visited
        for field in (unit_of(origin.field), "")
    }


def _units(
    rules: Iterable[Resource], kinds: Mapping[str, tuple[str, ...]], whole: tuple[str, ...]
) -> Iterator[tuple[Key, RuleUnit]]:
    for rule in rules:
        title, location = rule.title, rule.location
        spec = rule.body.get("spec") or {}
        if rule.kind in whole or (rule.kind in kinds and not _entries(spec, kinds[rule.kind])):
            yield (title, location.file, ""), RuleUnit(title, "", location.file, location.line)
        for name, index in _entries(spec, kinds.get(rule.kind, ())):
            if name == "http" and "delegate" in (spec["http"][index] or {}):
                continue  # the routes of the delegate are units of their own
            field, line = f"spec.{name}[{index}]", location.line_of(("spec", name, index))
            yield (title, location.file, field), RuleUnit(title, field, location.file, line)


def _entries(spec: dict[str, object], names: Iterable[str]) -> list[tuple[str, int]]:
    result = []
    for name in names:
        value = spec.get(name)
        result += [(name, i) for i in range(len(value) if isinstance(value, list) else 0)]
    return result
