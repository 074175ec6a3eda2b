"""Policies without effect: they select no workload, name an unknown port, or an older one wins."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.lint.policy_selection import (
    GATEWAY,
    Pods,
    selected_pods,
    selector_labels,
    selector_path,
)
from meshproof.model.kinds import KUBERNETES_GATEWAY
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

KINDS = (
    "PeerAuthentication",
    "AuthorizationPolicy",
    "RequestAuthentication",
    "Telemetry",
    "Sidecar",
    "EnvoyFilter",
    "WasmPlugin",
)
_ONE_A_SCOPE = ("PeerAuthentication", "Telemetry", "Sidecar")


def find_idle_policies(context: LintContext) -> Iterator[Problem]:
    """A policy that selects nothing, and a mesh-wide one whose selector Istio ignores."""
    for kind in KINDS:
        for policy in context.of(kind):
            labels = selector_labels(policy)
            if getattr(policy.spec, "has_target", False):
                if _has_gateway(context, policy):
                    continue
                yield policy.problem(
                    ("spec", "targetRefs" if policy.spec.target_refs else "targetRef"),
                    "is for a waypoint, or for a Gateway of the Gateway API that is not there: "
                    "sidecars ignore it, as in Istio",
                    remedy="write a selector, or declare the Gateway in the policy's namespace",
                )
            elif (
                labels and policy.namespace == context.mesh.root_namespace and kind in _ONE_A_SCOPE
            ):
                yield policy.problem(
                    selector_path(policy),
                    f"has labels, but in the root namespace {policy.namespace} Istio takes only a "
                    f"{kind} without any: this one does nothing",
                    remedy="write it in the workload's own namespace",
                )
            elif not selected_pods(context, policy):
                text = ", ".join(f"{k}={v}" for k, v in labels.items())
                selection = f"carries {text}" if text else "runs there"
                yield policy.problem(
                    selector_path(policy),
                    f"selects nothing: no pod of namespace {policy.namespace} {selection}",
                    remedy="correct the labels or the namespace",
                )


def _has_gateway(context: LintContext, policy: Resource) -> bool:
    """Whether one of its targets is a Gateway in its namespace."""
    return any(
        gateway.namespace == policy.namespace and gateway.name in policy.spec.gateway_targets
        for gateway in context.of(KUBERNETES_GATEWAY)
    )


def find_second_of_a_scope(context: LintContext) -> Iterator[Problem]:
    """Of several for the same workloads Istio takes the oldest."""
    for kind in _ONE_A_SCOPE:
        first: dict[tuple[str, tuple[tuple[str, str], ...]], Resource] = {}
        for policy in context.of(kind):
            scope = (policy.namespace, tuple(sorted(selector_labels(policy).items())))
            older = first.setdefault(scope, policy)
            if older is not policy:
                yield policy.problem(
                    selector_path(policy),
                    f"{older.title} is for the same workloads; Istio takes the oldest, and "
                    "ignores this one",
                    remedy=f"write one {kind} for them",
                )


def find_unknown_ports(context: LintContext) -> Iterator[Problem]:
    """A port that no Service leads to on the selected workloads. Policies name container ports,
    not Service ports."""
    for policy in context.of("PeerAuthentication"):
        for port in policy.spec.port_level_mtls:
            yield from _check_port(context, policy, ("spec", "portLevelMtls", port), port)
    for policy in context.of("AuthorizationPolicy"):
        for index, rule in enumerate(policy.spec.rules):
            for number, entry in enumerate(rule.to or ()):
                path: FieldPath = ("spec", "rules", index, "to", number, "operation", "ports")
                for position, port in enumerate(entry.operation.ports):
                    yield from _check_port(context, policy, (*path, position), port)


def _check_port(
    context: LintContext, policy: Resource, path: FieldPath, port: str
) -> Iterator[Problem]:
    targets = _target_ports(context, selected_pods(context, policy))
    if targets and int(port) not in targets:
        yield policy.problem(
            path,
            f"no Service leads to port {port} of the selected workloads; policies name the "
            "container's port, so this one never holds",
            "one of " + ", ".join(str(target) for target in sorted(targets)),
        )


def _target_ports(context: LintContext, pods: Pods) -> set[int]:
    """The container ports that Services lead to on these pods; empty if that is uncertain."""
    if not pods or GATEWAY in pods:
        return set()
    ports: set[int] = set()
    for service in context.services:
        if not any(service.selects(namespace, labels) for namespace, labels in pods):
            continue
        for port in service.ports:
            if not isinstance(port.target_port, int):
                return set()
            ports.add(port.target_port)
    return ports
