"""Warnings that only the written 0.4 rules can give: what is gone once they are lowered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshproof.errors import Problem
from meshproof.istio04.egress import destination, winners
from meshproof.istio04.policies import Labels, caller_of, key
from meshproof.istio04.refs import Target, callers, target
from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import RouteRule
from meshproof.translate.world import Service


def warnings(resources: Sequence[Resource], services: Sequence[Service]) -> list[Problem]:
    """For ``resources`` as they were written; ``meshproof.lint`` judges what they become."""
    by_host = {s.fqdn: s for s in services}
    egress = [r for r in resources if r.kind == "EgressRule"]
    honoured = winners(egress)
    found: list[Problem] = []
    routed = _routed(resources)
    for rule in resources:
        if rule.kind == "RouteRule":
            found += _no_caller(rule, by_host)
            found += _idle_fault(rule)
        elif rule.kind == "DestinationPolicy":
            found += _policy(rule, by_host, routed)
        elif rule.kind == "EgressRule" and honoured[destination(rule)] is not rule:
            found.append(
                rule.problem(
                    ("spec", "destination", "service"),
                    f"{destination(rule)} is opened by {honoured[destination(rule)].title} too; "
                    "Istio 0.4 ignores this rule, the later by namespace and name",
                    remedy="write all ports in one rule",
                )
            )
    return found


def _routed(resources: Sequence[Resource]) -> set[tuple[Target, Labels]]:
    """Hosts and labels that some RouteRule sends to: each was a cluster in 0.4."""
    found: set[tuple[Target, Labels]] = set()
    for rule in resources:
        if rule.kind != "RouteRule":
            continue
        host = target(rule.spec.destination, rule)
        for way in rule.spec.route:
            to = target(way.destination, rule) if way.destination else host
            found.add((to, key(way.labels)))
        if rule.spec.mirror:
            found.add((target(rule.spec.mirror, rule), key(rule.spec.mirror.labels)))
    return found


def _policy(
    rule: Resource, services: Mapping[str, Service], routed: set[tuple[Target, Labels]]
) -> list[Problem]:
    """A policy for a cluster that 0.4 never made, or for a caller that cannot exist."""
    found = []
    labels, host = rule.spec.destination.labels, target(rule.spec.destination, rule)
    if labels and (host, key(labels)) not in routed:
        said = ", ".join(f"{k}={v}" for k, v in labels.items())
        text = (
            f"no RouteRule sends to {host.host} with exactly {said}; Istio 0.4 applies it nowhere"
        )
        found.append(rule.problem(("spec", "destination", "labels"), text))
    who = caller_of(rule, services)
    if isinstance(who, str):
        found.append(rule.problem(("spec", "source"), f"{who}; it is for no caller"))
    return found


def _no_caller(rule: Resource, services: dict[str, Service]) -> list[Problem]:
    spec: RouteRule = rule.spec
    if spec.match is None or spec.match.source is None or not spec.match.source.name:
        return []
    who = callers(spec.match.source, rule, services)
    if not isinstance(who, str):
        return []
    found = f"{who}; Istio 0.4 applies the rule to no caller"
    return [rule.problem(("spec", "match", "source"), found, remedy="name a caller that exists")]


def _idle_fault(rule: Resource) -> list[Problem]:
    spec: RouteRule = rule.spec
    found = []
    for name in ("delay", "abort"):
        part = getattr(spec.http_fault, name, None)
        if part is not None and "percent" not in part.model_fields_set:
            found.append(
                rule.problem(
                    ("spec", "httpFault", name),
                    "has no percent, which Istio 0.4 reads as 0: nothing happens",
                    "percent: 100, or less",
                )
            )
    return found
