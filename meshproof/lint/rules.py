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
class LintRule:
    """``hint``: something to know, which never makes `--strict` refuse."""

    id: str
    finds: str
    check: Callable[[View], Iterable[Problem]] | None = None
    """None where another part finds it; the id is given there."""
    hint: bool = False


AUTOSCALER = LintRule("autoscaler-idle", "a HorizontalPodAutoscaler that cannot work")
DIALECT = LintRule("dialect-note", "a rule of Istio 0.4 that does less than it seems to")
HTTP_ROUTE = LintRule("httproute-unresolved", "an HTTPRoute whose parent or backend does not exist")

RULES = (
    LintRule(
        "host-unknown",
        "a destination host, or its port, that does not exist",
        hosts.unknown_destinations,
    ),
    LintRule(
        "subset-unknown",
        "a subset that no DestinationRule declares",
        hosts.unknown_subsets,
    ),
    LintRule(
        "virtualservice-host-unknown",
        "a VirtualService for a host that is no service",
        hosts.unknown_rule_hosts,
    ),
    LintRule(
        "gateway-unknown",
        "a Gateway that a VirtualService names and nobody declares",
        gateways.unknown_gateways,
    ),
    LintRule(
        "gateway-unused",
        "a Gateway that no VirtualService names",
        gateways.unused_gateways,
        hint=True,
    ),
    LintRule(
        "gateway-host-mismatch",
        "a VirtualService none of whose hosts its Gateway serves",
        gateways.unserved_hosts,
    ),
    LintRule(
        "gateway-certificate-missing",
        "an HTTPS server whose Secret is missing",
        gateways.missing_certificates,
    ),
    LintRule(
        "virtualservice-duplicate",
        "two VirtualServices for one host",
        duplicates.second_virtual_services,
    ),
    LintRule(
        "destinationrule-duplicate",
        "two DestinationRules for one host",
        duplicates.second_destination_rules,
    ),
    LintRule(
        "destinationrule-unused",
        "a DestinationRule for a host that does not exist",
        destination_rules.unknown_hosts,
    ),
    LintRule(
        "destinationrule-out-of-sight",
        "a DestinationRule in a namespace where nobody looks for it",
        destination_rules.out_of_sight,
    ),
    LintRule(
        "subset-empty",
        "a subset that no pod or endpoint is in",
        destination_rules.empty_subsets,
    ),
    LintRule(
        "route-dead",
        "a route or match that no request reaches",
        dead_routes.dead_routes,
    ),
    LintRule(
        "delegate-missing",
        "a delegate that is missing, or not for this root",
        delegates.missing_delegates,
    ),
    LintRule(
        "delegate-idle",
        "a delegate that no VirtualService names",
        delegates.idle_delegates,
    ),
    LintRule(
        "fault-idle",
        "a fault without a percentage",
        effects.idle_faults,
    ),
    LintRule(
        "weight-odd",
        "a weight that does nothing, or weights that do not add up to 100",
        effects.odd_weights,
    ),
    LintRule(
        "policy-selects-nothing",
        "a policy, Telemetry or Sidecar that selects no workload",
        policies.without_workloads,
    ),
    LintRule(
        "policy-superseded",
        "a policy that an older one for the same workloads supersedes",
        policies.second_of_a_scope,
    ),
    LintRule(
        "policy-port-unknown",
        "a policy's port that no selected workload has",
        policies.unknown_ports,
    ),
    LintRule(
        "ratelimit-port-unknown",
        "a rate limit's port that no selected workload has",
        rate_limits.unknown_ports,
    ),
    LintRule(
        "policy-identity-unheard",
        "a policy that asks for an identity where mutual TLS is off",
        identities.unheard_identities,
    ),
    LintRule(
        "policy-source-unknown",
        "a policy's namespace or principal that no workload has",
        identities.unknown_sources,
    ),
    LintRule(
        "policy-path-impossible",
        "a policy's path that no request can have",
        requests.impossible_paths,
    ),
    LintRule(
        "serviceentry-invisible",
        "a ServiceEntry that is exported to nobody",
        visibility.invisible_entries,
    ),
    LintRule(
        "token-not-required",
        "a RequestAuthentication where no policy asks for a token",
        tokens.optional_tokens,
        hint=True,
    ),
)
"""In the order in which they look."""

OTHERS = (
    LintRule(
        REFUSED, "what `apply` would refuse: unknown kinds, fields and values, missing images"
    ),
    AUTOSCALER,
    DIALECT,
    HTTP_ROUTE,
)
HINTS = frozenset(rule.id for rule in RULES if rule.hint)


def every() -> tuple[LintRule, ...]:
    """All ids that a finding may have."""
    return (*RULES, *OTHERS)
