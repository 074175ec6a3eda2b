"""Warnings about the original 0.4 rules, which cannot be seen once they are lowered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshproof.errors import Problem
from meshproof.istio04.destination_policies import Labels, label_key, resolve_source
from meshproof.istio04.egress_rules import find_honoured, normalize_destination
from meshproof.istio04.references import HostReference, resolve_callers, resolve_host
from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import RouteRule
from meshproof.translate.world import Service


def find_istio04_warnings(
    resources: Sequence[Resource], services: Sequence[Service]
) -> list[Problem]:
    """For ``resources`` as a user wrote them; ``meshproof.lint`` judges the lowered ones."""
    by_host = {s.fqdn: s for s in services}
    egress = [r for r in resources if r.kind == "EgressRule"]
    honoured = find_honoured(egress)
    problems: list[Problem] = []
    targets = _route_targets(resources)
    for rule in resources:
        if rule.kind == "RouteRule":
            problems += _check_caller(rule, by_host)
            problems += _check_fault(rule)
        elif rule.kind == "DestinationPolicy":
            problems += _check_policy(rule, by_host, targets)
        elif rule.kind == "EgressRule" and honoured[normalize_destination(rule)] is not rule:
            host = normalize_destination(rule)
            problems.append(
                rule.problem(
                    ("spec", "destination", "service"),
                    f"{host} is opened by {honoured[host].title} too; Istio 0.4 ignores this rule, "
                    "the later by namespace and name",
                    remedy="write all ports in one rule",
                )
            )
    return problems


def _route_targets(resources: Sequence[Resource]) -> set[tuple[HostReference, Labels]]:
    """Hosts and labels that a RouteRule sends to: each was a cluster in 0.4."""
    targets: set[tuple[HostReference, Labels]] = set()
    for rule in resources:
        if rule.kind != "RouteRule":
            continue
        host = resolve_host(rule.spec.destination, rule)
        for weighted in rule.spec.route:
            route_host = resolve_host(weighted.destination, rule) if weighted.destination else host
            targets.add((route_host, label_key(weighted.labels)))
        if rule.spec.mirror:
            targets.add((resolve_host(rule.spec.mirror, rule), label_key(rule.spec.mirror.labels)))
    return targets


def _check_policy(
    rule: Resource, services: Mapping[str, Service], targets: set[tuple[HostReference, Labels]]
) -> list[Problem]:
    """A policy for a cluster that 0.4 never created, or for a caller that cannot exist."""
    problems = []
    labels, host = rule.spec.destination.labels, resolve_host(rule.spec.destination, rule)
    if labels and (host, label_key(labels)) not in targets:
        label_text = ", ".join(f"{k}={v}" for k, v in labels.items())
        text = (
            f"no RouteRule sends to {host.host} with exactly {label_text}; "
            "Istio 0.4 applies it nowhere"
        )
        problems.append(rule.problem(("spec", "destination", "labels"), text))
    source_pods = resolve_source(rule, services)
    if isinstance(source_pods, str):
        problems.append(rule.problem(("spec", "source"), f"{source_pods}; it is for no caller"))
    return problems


def _check_caller(rule: Resource, services: dict[str, Service]) -> list[Problem]:
    spec: RouteRule = rule.spec
    if spec.match is None or spec.match.source is None or not spec.match.source.name:
        return []
    source_pods = resolve_callers(spec.match.source, rule, services)
    if not isinstance(source_pods, str):
        return []
    message = f"{source_pods}; Istio 0.4 applies the rule to no caller"
    return [rule.problem(("spec", "match", "source"), message, remedy="name a caller that exists")]


def _check_fault(rule: Resource) -> list[Problem]:
    spec: RouteRule = rule.spec
    problems = []
    for name in ("delay", "abort"):
        part = getattr(spec.http_fault, name, None)
        if part is not None and "percent" not in part.model_fields_set:
            problems.append(
                rule.problem(
                    ("spec", "httpFault", name),
                    "has no percent, which Istio 0.4 reads as 0: nothing happens",
                    "percent: 100, or less",
                )
            )
    return problems
