"""The shares that a rule asks for, read from the rule itself. Pure but for reading the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.errors import UsageError
from meshproof.istio_names import service_host
from meshproof.model.resource import Resource
from meshproof.verdicts.access_records import same_host


@dataclass(frozen=True, slots=True)
class Wanted:
    """Name -> weight, and how answers of these names are told apart (``hops.Tellers.by``)."""

    weights: Mapping[str, int]
    by: str


@dataclass(frozen=True, slots=True)
class _Part:
    host: str
    subset: str
    labels: Mapping[str, str]
    weight: int


def of_rule(resources: Sequence[Resource], to: str, rule: str) -> Wanted:
    """The shares of calls to host ``to``; ``rule`` names the file in messages.

    Taken is the route that is for every request, or the only one. Subsets are told apart by the
    ``version`` label that their DestinationRule names, if it is in the same file, and else by
    their names; backends without subset by their host. Raises UsageError where it says no shares.
    """
    found = [parts for parts in _routes(resources, to) if parts]
    if len(found) != 1:
        raise UsageError(
            f"{rule} has {len(found)} routes of {to} for every request; wanted one to read shares"
            ' from, or say weights={"v1": 90, "v2": 10}'
        )
    return _told_apart(found[0], _subsets(resources, to))


def _told_apart(parts: Sequence[_Part], subsets: Mapping[str, Mapping[str, str]]) -> Wanted:
    labels = [part.labels or subsets.get(part.subset, {}) for part in parts]
    versions = [carried.get("version", "") for carried in labels]
    if all(versions) and len(set(versions)) == len(parts):
        absent = {carried.get("version", "") for carried in subsets.values()} - {""}
        return Wanted(_sum(zip(versions, parts, strict=True), absent), "version")
    if all(part.subset for part in parts):
        return Wanted(_sum(((part.subset, part) for part in parts), subsets), "subset")
    return Wanted(_sum(((part.host.partition(".")[0], part) for part in parts), ()), "host")


def _sum(named: Iterable[tuple[str, _Part]], absent: Iterable[str]) -> dict[str, int]:
    """Weights by name; a version that is declared and left out has 0."""
    weights: dict[str, int] = {}
    for name, part in named:
        weights[name] = weights.get(name, 0) + part.weight
    return {**weights, **{name: 0 for name in absent if name not in weights}}


def _routes(resources: Sequence[Resource], to: str) -> Iterator[list[_Part]]:
    for resource in resources:
        reader = {
            "VirtualService": _of_virtual_service,
            "HTTPRoute": _of_http_route,
            "RouteRule": _of_route_rule,
        }.get(resource.kind)
        if reader:
            yield from reader(resource.spec, resource.namespace, to)


def _is(host: str, namespace: str, to: str) -> bool:
    """Whether a rule's host is ``to``; a short one is of the rule's namespace, if it says one."""
    if "." in host or not namespace:
        return same_host(host, to) or ("." not in host and to.partition(".")[0] == host)
    return same_host(service_host(host, namespace), to)


def _of_virtual_service(spec: Any, namespace: str, to: str) -> Iterator[list[_Part]]:
    named = any(_is(host, namespace, to) for host in spec.hosts)
    routes = [route for route in spec.http if route.route]
    for route in [r for r in routes if not r.match] if len(routes) > 1 else routes:
        alone = len(route.route) == 1
        parts = [
            _Part(
                entry.destination.host, entry.destination.subset or "", {},
                100 if alone else entry.weight,
            )
            for entry in route.route
        ]  # fmt: skip
        if named or all(_is(part.host, namespace, to) for part in parts):
            yield parts


def _of_http_route(spec: Any, namespace: str, to: str) -> Iterator[list[_Part]]:
    named = any(
        _is(parent.name, parent.namespace or namespace, to) for parent in spec.parent_refs or ()
    )
    rules = [rule for rule in spec.rules if rule.backend_refs]
    for rule in [r for r in rules if not r.matches] if len(rules) > 1 else rules:
        parts = [_Part(ref.name, "", {}, ref.weight) for ref in rule.backend_refs]
        if named or all(_is(part.host, namespace, to) for part in parts):
            yield parts


def _of_route_rule(spec: Any, namespace: str, to: str) -> Iterator[list[_Part]]:
    if spec.match is None and _is(spec.destination.name or "", namespace, to):
        alone = len(spec.route) == 1
        yield [
            _Part(to, "", dict(entry.labels), 100 if alone else entry.weight)
            for entry in spec.route
        ]


def _subsets(resources: Sequence[Resource], to: str) -> dict[str, Mapping[str, str]]:
    """Subset -> labels, of DestinationRules for the host."""
    return {
        subset.name: subset.labels
        for resource in resources
        if resource.kind == "DestinationRule" and _is(resource.spec.host, resource.namespace, to)
        for subset in resource.spec.subsets
    }
