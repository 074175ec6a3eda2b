"""All checks, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
)
from meshproof.lint.view import View
from meshproof.model.resource import Resource
from meshproof.translate.world import Service

CHECKS = (
    hosts.unknown_destinations,
    hosts.unknown_subsets,
    hosts.unknown_rule_hosts,
    gateways.unknown_gateways,
    gateways.missing_certificates,
    duplicates.second_virtual_services,
    duplicates.second_destination_rules,
    destination_rules.unknown_hosts,
    destination_rules.empty_subsets,
    dead_routes.dead_routes,
    delegates.missing_delegates,
    delegates.idle_delegates,
    effects.idle_faults,
    effects.odd_weights,
    policies.without_workloads,
    policies.second_of_a_scope,
    policies.unknown_ports,
    rate_limits.unknown_ports,
    identities.unheard_identities,
)


def warnings(
    resources: Sequence[Resource],
    services: Sequence[Service],
    replicas_labels: Sequence[tuple[str, Mapping[str, str]]],
) -> list[Problem]:
    """What is valid but dangling, shadowed or without effect, by file and line.

    ``resources``: all that is applied, in order of creation, namespaces filled in, 0.4's rules
    lowered (``meshproof.dialect``). ``replicas_labels``: namespace and labels of every replica.
    """
    view = View(resources, services, replicas_labels)
    found = (problem for check in CHECKS for problem in check(view))
    return sorted(dict.fromkeys(found), key=lambda p: (p.file, p.line))
