"""Every check with its stable id, how bad it is, and what it finds. docs/checks.md lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from meshproof.errors import Problem
from meshproof.lint import (
    dead_routes,
    delegates,
    destination_rules,
    duplicates,
    effects,
    gateways,
    hosts,
    identities,
    policies,
    rate_limits,
    requests,
    tokens,
    visibility,
)
from meshproof.lint.view import View

REFUSED = "refused"
"""Errors of all kinds: files that `apply` would not take."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``hint``: something to know, which never makes `--strict` refuse."""

    id: str
    finds: str
    check: Callable[[View], Iterable[Problem]] | None = None
    """None where another part finds it; the id is given there."""
    hint: bool = False


AUTOSCALER = Rule("autoscaler-idle", "a HorizontalPodAutoscaler that cannot work")
DIALECT = Rule("dialect-note", "a rule of Istio 0.4 that does less than it seems to")
HTTP_ROUTE = Rule("httproute-unresolved", "an HTTPRoute whose parent or backend does not exist")

RULES = (
    Rule(
        "host-unknown",
        "a destination host, or its port, that does not exist",
        hosts.unknown_destinations,
    ),
    Rule(
        "subset-unknown",
        "a subset that no DestinationRule declares",
        hosts.unknown_subsets,
    ),
    Rule(
        "virtualservice-host-unknown",
        "a VirtualService for a host that is no service",
        hosts.unknown_rule_hosts,
    ),
    Rule(
        "gateway-unknown",
        "a Gateway that a VirtualService names and nobody declares",
        gateways.unknown_gateways,
    ),
    Rule(
        "gateway-unused",
        "a Gateway that no VirtualService names",
        gateways.unused_gateways,
        hint=True,
    ),
    Rule(
        "gateway-host-mismatch",
        "a VirtualService none of whose hosts its Gateway serves",
        gateways.unserved_hosts,
    ),
    Rule(
        "gateway-certificate-missing",
        "an HTTPS server whose Secret is missing",
        gateways.missing_certificates,
    ),
    Rule(
        "virtualservice-duplicate",
        "two VirtualServices for one host",
        duplicates.second_virtual_services,
    ),
    Rule(
        "destinationrule-duplicate",
        "two DestinationRules for one host",
        duplicates.second_destination_rules,
    ),
    Rule(
        "destinationrule-unused",
        "a DestinationRule for a host that does not exist",
        destination_rules.unknown_hosts,
    ),
    Rule(
        "destinationrule-out-of-sight",
        "a DestinationRule in a namespace where nobody looks for it",
        destination_rules.out_of_sight,
    ),
    Rule(
        "subset-empty",
        "a subset that no pod or endpoint is in",
        destination_rules.empty_subsets,
    ),
    Rule(
        "route-dead",
        "a route or match that no request reaches",
        dead_routes.dead_routes,
    ),
    Rule(
        "delegate-missing",
        "a delegate that is missing, or not for this root",
        delegates.missing_delegates,
    ),
    Rule(
        "delegate-idle",
        "a delegate that no VirtualService names",
        delegates.idle_delegates,
    ),
    Rule(
        "fault-idle",
        "a fault without a percentage",
        effects.idle_faults,
    ),
    Rule(
        "weight-odd",
        "a weight that does nothing, or weights that do not add up to 100",
        effects.odd_weights,
    ),
    Rule(
        "policy-selects-nothing",
        "a policy, Telemetry or Sidecar that selects no workload",
        policies.without_workloads,
    ),
    Rule(
        "policy-superseded",
        "a policy that an older one for the same workloads supersedes",
        policies.second_of_a_scope,
    ),
    Rule(
        "policy-port-unknown",
        "a policy's port that no selected workload has",
        policies.unknown_ports,
    ),
    Rule(
        "ratelimit-port-unknown",
        "a rate limit's port that no selected workload has",
        rate_limits.unknown_ports,
    ),
    Rule(
        "policy-identity-unheard",
        "a policy that asks for an identity where mutual TLS is off",
        identities.unheard_identities,
    ),
    Rule(
        "policy-source-unknown",
        "a policy's namespace or principal that no workload has",
        identities.unknown_sources,
    ),
    Rule(
        "policy-path-impossible",
        "a policy's path that no request can have",
        requests.impossible_paths,
    ),
    Rule(
        "serviceentry-invisible",
        "a ServiceEntry that is exported to nobody",
        visibility.invisible_entries,
    ),
    Rule(
        "token-not-required",
        "a RequestAuthentication where no policy asks for a token",
        tokens.optional_tokens,
        hint=True,
    ),
)
"""In the order in which they look."""

OTHERS = (
    Rule(REFUSED, "what `apply` would refuse: unknown kinds, fields and values, missing images"),
    AUTOSCALER,
    DIALECT,
    HTTP_ROUTE,
)
HINTS = frozenset(rule.id for rule in RULES if rule.hint)


def every() -> tuple[Rule, ...]:
    """All ids that a finding may have."""
    return (*RULES, *OTHERS)
