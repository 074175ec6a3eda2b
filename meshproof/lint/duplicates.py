"""Two rules for one host: Istio merges DestinationRules, and takes one VirtualService alone."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.view import View, on_mesh
from meshproof.model.resource import Resource
from meshproof.translate.host_names import fqdn


def second_virtual_services(view: View) -> Iterator[Problem]:
    """A later VirtualService for a host that an earlier one has on the mesh gateway.

    Istio orders by creation, then name and namespace, and drops the later one's domains. Not said
    where either is private (``exportTo: [.]``) to another namespace.
    """
    first: dict[str, list[Resource]] = {}
    for rule in view.of("VirtualService"):
        if not on_mesh(rule.spec):
            continue
        for index, host in enumerate(rule.spec.hosts):
            name = fqdn(host, rule.namespace)
            winner = next((r for r in first.get(name, ()) if _meet(r, rule)), None)
            if winner is None:
                first.setdefault(name, []).append(rule)
            elif winner is not rule:
                yield rule.problem(
                    ("spec", "hosts", index),
                    f"{_written(winner)} has {name} already; Istio does not merge, and ignores "
                    "this one, the later by creation, for that host",
                    remedy="write all routes of the host in one resource",
                )


def second_destination_rules(view: View) -> Iterator[Problem]:
    """More DestinationRules of one namespace for one host: merged, the first one's word wins."""
    for host, rules in view.destination_rules.items():
        seen: dict[str, Resource] = {}
        for rule in rules:
            first = seen.setdefault(rule.namespace, rule)
            if first is rule or first.spec.export_to != rule.spec.export_to:
                continue
            earlier = rules[: rules.index(rule)]
            yield rule.problem(
                ("spec", "host"),
                f"{_written(first)} is for {host} too; Istio merges them: {_merge(earlier, rule)}",
                remedy="write one DestinationRule for the host",
            )


def _merge(earlier: list[Resource], rule: Resource) -> str:
    """What of ``rule`` survives behind the rules of its namespace before it."""
    before = [r for r in earlier if r.namespace == rule.namespace]
    taken = {s.name for r in before for s in r.spec.subsets}
    lost = [f"subset {s.name}" for s in rule.spec.subsets if s.name in taken]
    if rule.spec.traffic_policy and any(r.spec.traffic_policy for r in before):
        lost.insert(0, "trafficPolicy")
    return f"this one's {', '.join(lost)} is ignored" if lost else "this one's part is added"


def _meet(first: Resource, second: Resource) -> bool:
    """Whether the same sidecars see both."""
    if first.namespace == second.namespace:
        return True
    return "." not in first.spec.export_to and "." not in second.spec.export_to


def _written(rule: Resource) -> str:
    """The title of the document that a user wrote."""
    origin = rule.location.origin_of(())
    return origin.resource if origin else rule.title
