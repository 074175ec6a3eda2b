"""Every check with its stable id, its level, and what it finds. docs/checks.md lists them.

A new check is a function in the file of its subject, a row of RULES, and a row of docs/checks.md.
"""

from __future__ import annotations

from meshproof.lint import (
    dead_routes,
    delegates,
    destination_rules,
    duplicates,
    faults,
    gateway_certificates,
    gateway_conflicts,
    gateway_servers,
    gateways,
    hosts,
    ingresses,
    istio_warnings,
    policies,
    policy_identities,
    policy_paths,
    request_authentications,
    service_entries,
    services,
    weights,
)
from meshproof.lint.analyzer_rules import ANALYZER_RULES
from meshproof.lint.rule import LintRule

REFUSED = "refused"
"""The id of every error: what `apply` refuses."""


AUTOSCALER = LintRule("autoscaler-idle", "a HorizontalPodAutoscaler that cannot work")
ISTIO04 = LintRule("dialect-note", "a rule of Istio 0.4 that does less than it seems to")
HTTP_ROUTE = LintRule(
    "httproute-unresolved",
    "a route of the Gateway API whose parent does not take it, or whose backend does not exist",
)
ISTIO_WARNING = LintRule(
    istio_warnings.ID,
    "what Istio's webhook accepts with a warning",
    istio_warnings.find_istio_warnings,
)

RULES = (
    LintRule(
        "host-unknown",
        "a destination host, or its port, that does not exist",
        hosts.find_unknown_destinations,
    ),
    LintRule(
        "subset-unknown",
        "a subset that no DestinationRule declares",
        hosts.find_unknown_subsets,
    ),
    LintRule(
        "virtualservice-host-unknown",
        "a VirtualService for a host that is not a service",
        hosts.find_unknown_rule_hosts,
    ),
    LintRule(
        "gateway-unknown",
        "a Gateway that a VirtualService names and nobody declares",
        gateways.find_unknown_gateways,
    ),
    LintRule(
        "gateway-unused",
        "a Gateway that no VirtualService names",
        gateways.find_unused_gateways,
        hint=True,
    ),
    LintRule(
        "ingress-unserved",
        "an Ingress of a class that is not Istio's",
        ingresses.find_unserved_ingresses,
        hint=True,
    ),
    LintRule(
        "gateway-host-mismatch",
        "a VirtualService none of whose hosts its Gateway serves",
        gateways.find_unserved_hosts,
    ),
    LintRule(
        "gateway-certificate-missing",
        "a server whose Secret is missing, or lacks the authorities of clients",
        gateway_certificates.find_missing_certificates,
    ),
    LintRule(
        "gateway-unserved",
        "a Gateway whose selector no gateway has",
        gateways.find_unserved_gateways,
    ),
    LintRule(
        "gateway-port-conflict",
        "a server that another one on its port, or its port of the gateway's pod, keeps out",
        gateway_servers.find_conflicting_servers,
    ),
    LintRule(
        "gateway-port-unexposed",
        "a server's port that the gateway's Service does not have (IST0162)",
        gateways.find_ports_beyond_services,
        hint=True,
    ),
    LintRule(
        "gateway-conflict",
        "two Gateways with one host at one port (IST0145)",
        gateway_conflicts.find_conflicting_gateways,
    ),
    LintRule(
        "gateway-certificate-shared",
        "one certificate at several Gateways (IST0138)",
        gateway_conflicts.find_shared_certificates,
    ),
    LintRule(
        "claim-unverified",
        "a route by claims where no token is verified (IST0149)",
        gateway_conflicts.find_unverified_claims,
    ),
    LintRule(
        "port-unreachable",
        "a destination without a port whose service lacks the called port",
        hosts.find_unreachable_ports,
    ),
    LintRule(
        "port-protocol-undeclared",
        "a Service's port that does not say its protocol (IST0118)",
        services.find_undeclared_protocols,
        hint=True,
    ),
    LintRule(
        "service-contradiction",
        "two Services that give one port of a workload different protocols (IST0137)",
        services.find_contradicting_services,
    ),
    LintRule(
        "virtualservice-duplicate",
        "two VirtualServices for one host",
        duplicates.find_second_virtual_services,
    ),
    LintRule(
        "destinationrule-duplicate",
        "two DestinationRules for one host",
        duplicates.find_second_destination_rules,
    ),
    LintRule(
        "destinationrule-unused",
        "a DestinationRule for a host that does not exist",
        destination_rules.find_unknown_hosts,
    ),
    LintRule(
        "destinationrule-out-of-sight",
        "a DestinationRule in a namespace where nobody looks for it",
        destination_rules.find_out_of_sight,
    ),
    LintRule(
        "subset-empty",
        "a subset that no pod or endpoint is in",
        destination_rules.find_empty_subsets,
    ),
    LintRule(
        "route-dead",
        "a route or match that no request reaches",
        dead_routes.find_dead_routes,
    ),
    LintRule(
        "connection-route-dead",
        "a TCP or TLS route or match that no connection reaches (IST0130, IST0131)",
        dead_routes.find_dead_l4_routes,
    ),
    LintRule(
        "delegate-missing",
        "a delegate that is missing, or not for this root",
        delegates.find_missing_delegates,
    ),
    LintRule(
        "delegate-idle",
        "a delegate that no VirtualService names",
        delegates.find_idle_delegates,
    ),
    LintRule(
        "fault-idle",
        "a fault without a percentage",
        faults.find_idle_faults,
    ),
    LintRule(
        "weight-odd",
        "a weight that does nothing, or weights that do not add up to 100",
        weights.find_odd_weights,
    ),
    LintRule(
        "policy-selects-nothing",
        "a policy, Telemetry or Sidecar that selects no workload",
        policies.find_idle_policies,
    ),
    LintRule(
        "policy-superseded",
        "a policy that an older one for the same workloads supersedes",
        policies.find_second_of_a_scope,
    ),
    LintRule(
        "policy-port-unknown",
        "a policy's port that no selected workload has",
        policies.find_unknown_ports,
    ),
    LintRule(
        "policy-identity-unheard",
        "a policy that asks for an identity where mutual TLS is off",
        policy_identities.find_unheard_identities,
    ),
    LintRule(
        "policy-source-unknown",
        "a policy's namespace or principal that no workload has",
        policy_identities.find_unknown_sources,
    ),
    LintRule(
        "policy-path-impossible",
        "a policy's path that no request can have",
        policy_paths.find_impossible_paths,
    ),
    LintRule(
        "serviceentry-invisible",
        "a ServiceEntry that is exported to nobody",
        service_entries.find_invisible_entries,
    ),
    ISTIO_WARNING,
    *ANALYZER_RULES,
    LintRule(
        "token-not-required",
        "a RequestAuthentication where no policy asks for a token",
        request_authentications.find_optional_tokens,
        hint=True,
    ),
)
"""In the order in which they run."""

OTHER_RULES = (
    LintRule(
        REFUSED, "what `apply` would refuse: unknown kinds, fields and values, missing images"
    ),
    AUTOSCALER,
    ISTIO04,
    HTTP_ROUTE,
)
HINTS = frozenset(rule.id for rule in RULES if rule.hint)


def all_rules() -> tuple[LintRule, ...]:
    """Every id that a finding may have."""
    return (*RULES, *OTHER_RULES)
