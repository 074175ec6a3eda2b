"""The shares that a rule sets, read from the rule itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from meshproof.errors import UsageError
from meshproof.istio_names import service_host
from meshproof.model.resource import Resource
from meshproof.translate.route_shares import DestinationShare, RouteShares, route_shares
from meshproof.verdicts.access_records import same_host


@dataclass(frozen=True, slots=True)
class ExpectedSplit:
    """Name -> weight, and by what responders of these names are told apart (``ResponderBy``)."""

    weights: Mapping[str, int]
    by: str


def read_expected_split(resources: Sequence[Resource], to: str, rule: str) -> ExpectedSplit:
    """The shares of calls to host ``to``; ``rule`` names the file in messages.

    The route that counts is the one for every request, or the only one. Subsets are told apart by
    the ``version`` label of their DestinationRule, if that is among the resources, and else by
    their names; backends without a subset by their host. Raises UsageError where the rule sets no
    shares.
    """
    routes = list(_routes(resources, to))
    if len(routes) != 1:
        raise UsageError(
            f"{rule} has {len(routes)} routes of {to} for every request; wanted one to read shares"
            ' from, or say weights={"v1": 90, "v2": 10}'
        )
    return _weights_by_name(routes[0], _subsets(resources, to))


def _weights_by_name(
    parts: Sequence[DestinationShare], subsets: Mapping[str, Mapping[str, str]]
) -> ExpectedSplit:
    labels = [part.labels or subsets.get(part.subset, {}) for part in parts]
    versions = [carried.get("version", "") for carried in labels]
    if all(versions) and len(set(versions)) == len(parts):
        absent = {carried.get("version", "") for carried in subsets.values()} - {""}
        return ExpectedSplit(_sum(zip(versions, parts, strict=True), absent), "version")
    if all(part.subset for part in parts):
        return ExpectedSplit(_sum(((part.subset, part) for part in parts), subsets), "subset")
    return ExpectedSplit(_sum(((part.host.partition(".")[0], part) for part in parts), ()), "host")


def _sum(named: Iterable[tuple[str, DestinationShare]], absent: Iterable[str]) -> dict[str, int]:
    """Weights by name; a version that is declared and left out has 0."""
    weights: dict[str, int] = {}
    for name, part in named:
        weights[name] = weights.get(name, 0) + part.weight
    return {**weights, **{name: 0 for name in absent if name not in weights}}


def _routes(resources: Sequence[Resource], to: str) -> Iterator[Sequence[DestinationShare]]:
    """The routes of ``to`` for every request; a rule's only route counts even if it has a match,
    but a RouteRule, which is one route of several rules."""
    for rule in resources:
        routes = route_shares(rule)
        if len(routes) > 1 or rule.kind == "RouteRule":
            routes = [route for route in routes if route.unconditional]
        for route in routes:
            if route.shares and _is_for(route, rule.namespace, to):
                yield route.shares


def _is_for(route: RouteShares, namespace: str, to: str) -> bool:
    """Whether the rule names ``to``, or sends its calls nowhere else."""
    return any(_is(host, own, to) for host, own in route.hosts) or all(
        _is(share.host, namespace, to) for share in route.shares
    )


def _is(host: str, namespace: str, to: str) -> bool:
    """Whether a rule's host is ``to``; a short one is of the rule's namespace, if it says one."""
    if "." in host or not namespace:
        return same_host(host, to) or ("." not in host and to.partition(".")[0] == host)
    return same_host(service_host(host, namespace), to)


def _subsets(resources: Sequence[Resource], to: str) -> dict[str, Mapping[str, str]]:
    """Subset -> labels, of DestinationRules for the host."""
    return {
        subset.name: subset.labels
        for resource in resources
        if resource.kind == "DestinationRule" and _is(resource.spec.host, resource.namespace, to)
        for subset in resource.spec.subsets
    }
