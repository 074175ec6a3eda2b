"""Hosts, ports and subsets that rules name and nobody declares.

Istio creates the route anyway. Its cluster does not exist, so Envoy answers 503 with an empty body
and the flag NC (cluster_not_found). A mirror without a cluster is dropped silently.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import (
    MESH,
    DestinationUse,
    LintContext,
    applies_to_mesh,
    destination_uses,
)
from meshproof.model.resource import Resource
from meshproof.translate.host_names import covers, fqdn, is_wildcard


def find_unknown_destinations(context: LintContext) -> Iterator[Problem]:
    """A destination host without a Service or ServiceEntry, or a port that the host lacks."""
    for use in destination_uses(context):
        if not context.exists(use.host):
            yield use.rule.problem(
                (*use.path, "host"),
                f"host {use.host} is neither a Service nor a ServiceEntry; {_describe_effect(use)}",
                remedy=context.remedy(use.destination.host),
            )
        elif use.destination.port and use.destination.port.number not in _ports_of(
            context, use.host
        ):
            yield use.rule.problem(
                (*use.path, "port", "number"),
                f"{use.host} has no port {use.destination.port.number}; {_describe_effect(use)}",
                "one of " + ", ".join(str(p) for p in sorted(_ports_of(context, use.host))),
            )


def find_unknown_subsets(context: LintContext) -> Iterator[Problem]:
    """A subset that no DestinationRule for the host declares, in whichever namespace."""
    for use in destination_uses(context):
        subset = use.destination.subset
        if not subset:
            continue
        declared = sorted(
            s.name
            for host, rules in context.destination_rules.items()
            if covers(host, use.host)
            for rule in rules
            for s in rule.spec.subsets
        )
        if subset not in declared:
            effect = _describe_effect(use)
            yield use.rule.problem(
                (*use.path, "subset"),
                f"subset {subset} of {use.host} is declared by no DestinationRule; {effect}",
                f"one of {', '.join(declared)}" if declared else "",
                "declare it in a DestinationRule for that host",
            )


def find_unknown_rule_hosts(context: LintContext) -> Iterator[Problem]:
    """A VirtualService of the mesh for a host that is not a service: reached at the ports of
    the rule's services alone, or at 80."""
    for rule in context.of("VirtualService"):
        if not applies_to_mesh(rule.spec):
            continue
        for index, host in enumerate(rule.spec.hosts):
            name = fqdn(host, rule.namespace)
            if host == "*" or context.holds_any(name):
                continue
            ports = ", ".join(map(str, sorted(_rule_ports(context, rule))))
            effect = (
                "Istio applies the rule to no service"
                if is_wildcard(host)
                else f"Istio routes requests to that very name, on port {ports} only"
            )
            yield rule.problem(
                ("spec", "hosts", index),
                f"host {name} is neither a Service nor a ServiceEntry; {effect}",
                remedy=context.remedy(host),
            )


def find_unreachable_ports(context: LintContext) -> Iterator[Problem]:
    """A destination without a port means the port that was called; a service without that port is
    503 (pilot/pkg/networking/core/route: GetDestinationCluster, for each listener)."""
    for use in destination_uses(context):
        rule, spec = use.rule, use.rule.spec
        only_mesh = all(name == MESH for name in spec.gateways)
        names = [fqdn(host, rule.namespace) for host in spec.hosts]
        if use.destination.port or use.mirror or not only_mesh or not names:
            continue
        if not context.exists(use.host) or any(map(is_wildcard, names)):
            continue
        calls, ports = _rule_ports(context, rule), _ports_of(context, use.host)
        if ports and not calls & ports:
            yield rule.problem(
                (*use.path, "host"),
                f"has no port, so it means the port that is called, "
                f"{', '.join(map(str, sorted(calls)))}, and {use.host} has none of these; "
                "Istio answers its share with 503 (flag NC)",
                f"port: {{number: {min(ports)}}} beside host",
            )


def _rule_ports(context: LintContext, rule: Resource) -> set[int]:
    """The ports at which sidecars apply a rule: those of its services, else 80."""
    names = [fqdn(host, rule.namespace) for host in rule.spec.hosts]
    ports = {p for n in names if context.exists(n) for p in _ports_of(context, n)}
    return ports or {80}


def _describe_effect(use: DestinationUse) -> str:
    if use.mirror:
        return "Istio drops the mirrored requests"
    return "Istio answers its share with 503 (flag NC)"


def _ports_of(context: LintContext, host: str) -> set[int]:
    if host in context.by_fqdn:
        return {p.port for p in context.by_fqdn[host].ports}
    return {p.number for entry in context.entries[host] for p in entry.spec.ports}
