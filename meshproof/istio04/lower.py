"""Replaces 0.4's rules by v1 resources that do the same.

All RouteRules of one destination become one VirtualService in the destination's namespace: higher
precedence first, ties by namespace/name, 0.4's default route last unless a rule takes everything
before it. It has the name and the position of the first of them in the list (the oldest), and only
the gateway ``mesh``.

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
from meshproof.istio04.destination_policies import check_policy, group_by_host
from meshproof.istio04.destination_rules import API_VERSION, DestinationRules
from meshproof.istio04.egress_rules import (
    check_egress,
    find_honoured,
    find_tls_ports,
    lower_egress,
    normalize_destination,
)
from meshproof.istio04.references import HostReference, check_reference, resolve_host
from meshproof.istio04.route_match import check_match, is_catch_all, lower_match
from meshproof.istio04.route_rules import build_default_route, lower_route, origins_of_route
from meshproof.istio04.unique_names import UniqueNames
from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import RouteRule
from meshproof.model.virtual_service import VirtualService
from meshproof.sources.location import FieldPath, Location, Origin
from meshproof.translate.world import Service


def lower(resources: Sequence[Resource], services: Sequence[Service]) -> list[Resource]:
    """``resources`` with those of 0.4 replaced by their v1 counterparts.

    DestinationRules (subsets, policies) come last, so that a user's own for a host precede them.
    Namespaces must be filled in. Raises Refused with every problem of every rule.
    """
    rules = [r for r in resources if r.kind == "RouteRule"]
    egress = [r for r in resources if r.kind == "EgressRule"]
    policies = [r for r in resources if r.kind == "DestinationPolicy"]
    if problems := _check_rules(rules, egress, policies):
        raise Refused(problems)
    names = UniqueNames({r.key for r in resources})
    hosts = UniqueNames({("host", s.namespace, s.name) for s in services})
    context = _Context({s.fqdn: s for s in services}, names, DestinationRules(resources, names))
    groups = group_by_destination(rules)
    honoured_egress = find_honoured(egress)
    result: list[Resource] = []
    for resource in resources:
        if resource.kind == "RouteRule":
            group = groups[resolve_host(resource.spec.destination, resource)]
            if group[0] is resource:
                result.append(_virtual_service(group, context))
        elif resource.kind == "DestinationPolicy":
            continue
        elif resource.kind == "EgressRule":
            if honoured_egress[normalize_destination(resource)] is resource:
                entry = lower_egress(resource, names, hosts)
                result.append(entry)
                _originate_tls(resource, entry.spec.hosts[0], context)
        else:
            result.append(resource)
    for policy in policies:
        host = resolve_host(policy.spec.destination, policy)
        context.destination_rules.subset_for(host, {}, policy, ("spec", "destination"))
    return result + context.destination_rules.build(group_by_host(policies, context.services))


def _originate_tls(rule: Resource, host: str, context: _Context) -> None:
    reference = HostReference(host, rule.namespace)
    for index in find_tls_ports(rule):
        path: FieldPath = ("spec", "ports", index)
        context.destination_rules.originate_tls(reference, rule.spec.ports[index].port, rule, path)


def group_by_destination(rules: Sequence[Resource]) -> dict[HostReference, list[Resource]]:
    """RouteRules by the host that they route, in the given order."""
    groups: dict[HostReference, list[Resource]] = {}
    for rule in rules:
        groups.setdefault(resolve_host(rule.spec.destination, rule), []).append(rule)
    return groups


def sort_route_rules(rules: Sequence[Resource]) -> list[Resource]:
    """0.4's order (SortRouteRules): higher precedence first, ties by namespace, then name."""
    return sorted(rules, key=lambda r: (-r.spec.precedence, r.namespace, r.name))


@dataclass(frozen=True, slots=True)
class _Context:
    services: Mapping[str, Service]
    names: UniqueNames
    destination_rules: DestinationRules


def _virtual_service(group: list[Resource], context: _Context) -> Resource:
    oldest = group[0]
    host = resolve_host(oldest.spec.destination, oldest)
    origins: dict[FieldPath, Origin] = {
        (): oldest.origin(("spec",)),
        ("spec", "hosts"): oldest.origin(("spec", "destination")),
    }
    http: list[dict[str, Any]] = []
    needs_default = True
    for rule in sort_route_rules(group):
        match = lower_match(rule, context.services)
        if match is None:
            continue
        origins |= origins_of_route(rule, len(http))
        http.append(lower_route(rule, host, match, context.destination_rules))
        needs_default = needs_default and not is_catch_all(match)
    if needs_default:
        origins["spec", "http", len(http)] = oldest.origin(("spec", "destination"))
        http.append(build_default_route(oldest, host, context.destination_rules))
    spec = {"hosts": [host.host], "http": http}
    return Resource(
        api_version=API_VERSION,
        kind="VirtualService",
        name=context.names.claim("VirtualService", host.namespace, oldest.name),
        namespace=host.namespace,
        labels=dict(oldest.labels),
        spec=VirtualService.model_validate(spec),
        location=Location(oldest.location.file, oldest.location.line, origins=origins),
    )


def _check_rules(
    rules: Sequence[Resource], egress: Sequence[Resource], policies: Sequence[Resource]
) -> list[Problem]:
    problems: list[Problem] = []
    for rule in rules:
        spec: RouteRule = rule.spec
        problems += check_reference(spec.destination, rule, ("spec", "destination"))
        problems += check_match(rule)
        for index, weighted in enumerate(spec.route):
            if weighted.destination:
                path: FieldPath = ("spec", "route", index, "destination")
                problems += check_reference(weighted.destination, rule, path)
        if spec.mirror:
            problems += check_reference(spec.mirror, rule, ("spec", "mirror"))
    for rule in egress:
        problems += check_egress(rule)
    for policy in policies:
        problems += check_policy(policy)
    return problems
