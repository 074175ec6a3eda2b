"""Hosts, ports and subsets that rules name and nobody declares.

Istio makes the route all the same; its cluster does not exist, so Envoy answers 503 with an empty
body and the flag NC (cluster_not_found). A mirror without a cluster is dropped silently.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.view import Use, View, on_mesh, uses
from meshproof.translate.host_names import covers, fqdn, is_wildcard


def unknown_destinations(view: View) -> Iterator[Problem]:
    """A destination host without a Service or ServiceEntry, or a port that the host lacks."""
    for use in uses(view):
        if not view.exists(use.host):
            yield use.rule.problem(
                (*use.path, "host"),
                f"host {use.host} is no Service and no ServiceEntry; {_fate(use)}",
                remedy=view.remedy(use.destination.host),
            )
        elif use.destination.port and use.destination.port.number not in _ports(view, use.host):
            yield use.rule.problem(
                (*use.path, "port", "number"),
                f"{use.host} has no port {use.destination.port.number}; {_fate(use)}",
                "one of " + ", ".join(str(p) for p in sorted(_ports(view, use.host))),
            )


def unknown_subsets(view: View) -> Iterator[Problem]:
    """A subset that no DestinationRule for the host declares, in whichever namespace."""
    for use in uses(view):
        subset = use.destination.subset
        if not subset:
            continue
        declared = sorted(
            s.name
            for host, rules in view.destination_rules.items()
            if covers(host, use.host)
            for rule in rules
            for s in rule.spec.subsets
        )
        if subset not in declared:
            yield use.rule.problem(
                (*use.path, "subset"),
                f"subset {subset} of {use.host} is declared by no DestinationRule; {_fate(use)}",
                f"one of {', '.join(declared)}" if declared else "",
                "declare it in a DestinationRule for that host",
            )


def unknown_rule_hosts(view: View) -> Iterator[Problem]:
    """A VirtualService on the mesh for a host that is no service: reached at port 80 alone."""
    for rule in view.of("VirtualService"):
        if not on_mesh(rule.spec):
            continue
        for index, host in enumerate(rule.spec.hosts):
            name = fqdn(host, rule.namespace)
            if host == "*" or view.holds_any(name):
                continue
            does = (
                "Istio applies the rule to no service"
                if is_wildcard(host)
                else "Istio routes requests to that very name, on port 80 only"
            )
            yield rule.problem(
                ("spec", "hosts", index),
                f"host {name} is no Service and no ServiceEntry; {does}",
                remedy=view.remedy(host),
            )


def _fate(use: Use) -> str:
    if use.mirror:
        return "Istio drops the mirrored requests"
    return "Istio answers its share with 503 (flag NC)"


def _ports(view: View, host: str) -> set[int]:
    if host in view.by_fqdn:
        return {p.port for p in view.by_fqdn[host].ports}
    return {p.number for entry in view.entries[host] for p in entry.spec.ports}
