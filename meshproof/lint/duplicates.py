"""Two rules for one host: Istio merges DestinationRules, but uses only one VirtualService."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import LintContext, applies_to_mesh
from meshproof.model.resource import Resource
from meshproof.translate.host_names import fqdn


def find_second_virtual_services(context: LintContext) -> Iterator[Problem]:
    """A later VirtualService for a host that an earlier one has on the mesh gateway.

    Istio orders by creation, then name and namespace, and drops the later one's domains. Not
    reported where either is private (``exportTo: [.]``) to another namespace.
    """
    first: dict[str, list[Resource]] = {}
    for rule in context.of("VirtualService"):
        if not applies_to_mesh(rule.spec):
            continue
        for index, host in enumerate(rule.spec.hosts):
            name = fqdn(host, rule.namespace)
            winner = next((r for r in first.get(name, ()) if _share_sidecars(r, rule)), None)
            if winner is None:
                first.setdefault(name, []).append(rule)
            elif winner is not rule:
                yield rule.problem(
                    ("spec", "hosts", index),
                    f"{_source_title(winner)} has {name} already; Istio does not merge them, and "
                    "ignores this one, the later by creation, for that host",
                    remedy="write all routes of the host in one resource",
                )


def find_second_destination_rules(context: LintContext) -> Iterator[Problem]:
    """Several DestinationRules of one namespace for one host: merged, and the first one wins."""
    for host, rules in context.destination_rules.items():
        first_by_namespace: dict[str, Resource] = {}
        for rule in rules:
            first = first_by_namespace.setdefault(rule.namespace, rule)
            if first is rule or first.spec.export_to != rule.spec.export_to:
                continue
            earlier = rules[: rules.index(rule)]
            effect = _describe_merge(earlier, rule)
            yield rule.problem(
                ("spec", "host"),
                f"{_source_title(first)} is for {host} too; Istio merges them: {effect}",
                remedy="write one DestinationRule for the host",
            )


def _describe_merge(earlier: list[Resource], rule: Resource) -> str:
    """What is left of ``rule`` after the earlier rules of its namespace."""
    before = [r for r in earlier if r.namespace == rule.namespace]
    names = {s.name for r in before for s in r.spec.subsets}
    ignored = [f"subset {s.name}" for s in rule.spec.subsets if s.name in names]
    if rule.spec.traffic_policy and any(r.spec.traffic_policy for r in before):
        ignored.insert(0, "trafficPolicy")
    return f"this one's {', '.join(ignored)} is ignored" if ignored else "this one's part is added"


def _share_sidecars(first: Resource, second: Resource) -> bool:
    """Whether the same sidecars see both."""
    if first.namespace == second.namespace:
        return True
    return "." not in first.spec.export_to and "." not in second.spec.export_to


def _source_title(rule: Resource) -> str:
    """The title of the document that a user wrote."""
    origin = rule.location.origin_of(())
    return origin.resource if origin else rule.title
