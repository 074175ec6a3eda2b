"""All that is applied, 0.4's rules replaced by v1 resources that do the same.

All RouteRules of one destination become one VirtualService in the destination's namespace: higher
precedence first, ties by namespace/name, 0.4's default route last unless a rule takes everything
before it. It has the name and the place of the first of them in the list (the oldest), and gateway
``mesh`` alone.

A v1 VirtualService for the same host is kept beside it. Istio does not merge them: the first by
creation wins, so the order of ``resources`` decides; ``meshproof.lint`` warns about the other.

What stays v1's: services that no RouteRule names (0.4's 15 s and ROUND_ROBIN held for all), and
faults apply to a rule's own route (0.4 let them reach other routes to the same cluster).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.errors import Problem, Refused
from meshproof.istio04.egress import destination, egress_problems, lower_egress, winners
from meshproof.istio04.match import is_catch_all, lower_match, match_problems
from meshproof.istio04.policies import by_host, policy_problems
from meshproof.istio04.refs import Target, problems_of, target
from meshproof.istio04.routes import default_route, lower_route, route_origins
from meshproof.istio04.subsets import API_VERSION, Names, Subsets
from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import RouteRule
from meshproof.model.virtual_service import VirtualService
from meshproof.sources.location import FieldPath, Location, Origin
from meshproof.translate.world import Service


def lower(resources: Sequence[Resource], services: Sequence[Service]) -> list[Resource]:
    """``resources`` without those of 0.4, their v1 counterparts in their places.

    DestinationRules (subsets, policies) come last, so that a user's own for a host goes first.
    Namespaces must be filled in. Raises Refused with every problem of every rule.
    """
    rules = [r for r in resources if r.kind == "RouteRule"]
    egress = [r for r in resources if r.kind == "EgressRule"]
    policies = [r for r in resources if r.kind == "DestinationPolicy"]
    if problems := _problems(rules, egress, policies):
        raise Refused(problems)
    names = Names({r.key for r in resources})
    hosts = Names({("host", s.namespace, s.name) for s in services})
    work = _Work({s.fqdn: s for s in services}, names, Subsets(resources, names))
    groups = by_destination(rules)
    honoured = winners(egress)
    made: list[Resource] = []
    for resource in resources:
        if resource.kind == "RouteRule":
            group = groups[target(resource.spec.destination, resource)]
            if group[0] is resource:
                made.append(_virtual_service(group, work))
        elif resource.kind == "DestinationPolicy":
            continue
        elif resource.kind == "EgressRule":
            if honoured[destination(resource)] is resource:
                made.append(lower_egress(resource, names, hosts))
        else:
            made.append(resource)
    for policy in policies:
        host = target(policy.spec.destination, policy)
        work.subsets.use(host, {}, policy, ("spec", "destination"))
    return made + work.subsets.destination_rules(by_host(policies, work.services))


def by_destination(rules: Sequence[Resource]) -> dict[Target, list[Resource]]:
    """RouteRules by the host that they are about, each list as given."""
    groups: dict[Target, list[Resource]] = {}
    for rule in rules:
        groups.setdefault(target(rule.spec.destination, rule), []).append(rule)
    return groups


def in_order(rules: Sequence[Resource]) -> list[Resource]:
    """0.4's order (SortRouteRules): higher precedence first, ties by namespace, then name."""
    return sorted(rules, key=lambda r: (-r.spec.precedence, r.namespace, r.name))


@dataclass(frozen=True, slots=True)
class _Work:
    services: Mapping[str, Service]
    names: Names
    subsets: Subsets


def _virtual_service(group: list[Resource], work: _Work) -> Resource:
    oldest = group[0]
    host = target(oldest.spec.destination, oldest)
    origins: dict[FieldPath, Origin] = {
        (): oldest.origin(("spec",)),
        ("spec", "hosts"): oldest.origin(("spec", "destination")),
    }
    http: list[dict[str, Any]] = []
    open_end = True
    for rule in in_order(group):
        match = lower_match(rule, work.services)
        if match is None:
            continue
        origins |= route_origins(rule, len(http))
        http.append(lower_route(rule, host, match, work.subsets))
        open_end = open_end and not is_catch_all(match)
    if open_end:
        origins["spec", "http", len(http)] = oldest.origin(("spec", "destination"))
        http.append(default_route(oldest, host, work.subsets))
    spec = {"hosts": [host.host], "http": http}
    return Resource(
        api_version=API_VERSION,
        kind="VirtualService",
        name=work.names.free("VirtualService", host.namespace, oldest.name),
        namespace=host.namespace,
        labels=dict(oldest.labels),
        spec=VirtualService.model_validate(spec),
        location=Location(oldest.location.file, oldest.location.line, origins=origins),
    )


def _problems(
    rules: Sequence[Resource], egress: Sequence[Resource], policies: Sequence[Resource]
) -> list[Problem]:
    problems: list[Problem] = []
    for rule in rules:
        spec: RouteRule = rule.spec
        problems += problems_of(spec.destination, rule, ("spec", "destination"))
        problems += match_problems(rule)
        for index, weighted in enumerate(spec.route):
            if weighted.destination:
                at: FieldPath = ("spec", "route", index, "destination")
                problems += problems_of(weighted.destination, rule, at)
        if spec.mirror:
            problems += problems_of(spec.mirror, rule, ("spec", "mirror"))
    for rule in egress:
        problems += egress_problems(rule)
    for policy in policies:
        problems += policy_problems(policy)
    return problems
