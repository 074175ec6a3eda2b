"""Rules that are for the same workloads by different selectors, and rules that others go past."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import MESH, LintContext, applies_to_mesh
from meshproof.lint.policy_selection import selected_pods, selector_labels, selector_path
from meshproof.model.resource import Resource
from meshproof.translate.host_names import fqdn

_ONE_A_WORKLOAD = ("Sidecar", "Telemetry")


def find_overlapping_selectors(context: LintContext) -> Iterator[Problem]:
    """Two Sidecars, or two Telemetries, that select one pod by different labels (IST0110,
    IST0159)."""
    for kind in _ONE_A_WORKLOAD:
        rules = [r for r in context.of(kind) if selector_labels(r)]
        for index, rule in enumerate(rules):
            for older in rules[:index]:
                if selector_labels(older) != selector_labels(rule) and _meet(context, older, rule):
                    yield rule.problem(
                        selector_path(rule),
                        f"selects pods that {older.title} selects, too",
                        remedy=f"give each workload one {kind}",
                    )
                    break


def _meet(context: LintContext, one: Resource, other: Resource) -> bool:
    pods = selected_pods(context, other)
    return any(pod in pods for pod in selected_pods(context, one))


def find_bypassed_rules(context: LintContext) -> Iterator[Problem]:
    """A rule for a Gateway that leads to a host without a subset, while another rule routes that
    host's own callers by subset (IST0140): what comes through the Gateway does not meet it."""
    by_subset: dict[str, Resource] = {}
    for rule in context.of("VirtualService"):
        if not applies_to_mesh(rule.spec):
            continue
        hosts = {fqdn(host, rule.namespace) for host in rule.spec.hosts}
        for route in rule.spec.http:
            for entry in route.route:
                host = fqdn(entry.destination.host, rule.namespace)
                if entry.destination.subset and host in hosts:
                    by_subset.setdefault(host, rule)
    for rule in context.of("VirtualService"):
        if all(name == MESH for name in rule.spec.gateways):
            continue
        for index, route in enumerate(rule.spec.http):
            for number, entry in enumerate(route.route):
                other = by_subset.get(fqdn(entry.destination.host, rule.namespace))
                if other is None or other is rule or entry.destination.subset:
                    continue
                yield rule.problem(
                    ("spec", "http", index, "route", number, "destination"),
                    f"leads past {other.title}, which routes callers inside of the mesh by subset",
                    "the same subsets here, if they are meant for the Gateway's callers, too",
                )
