"""Policies that reach nothing: no workload that they select, no port that they name, no part left
by an older policy of the same scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshproof.errors import Problem
from meshproof.istio_names import INGRESS_GATEWAY_LABELS, ROOT_NAMESPACE
from meshproof.lint.view import View
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

KINDS = (
    "PeerAuthentication",
    "AuthorizationPolicy",
    "RequestAuthentication",
    "Telemetry",
    "Sidecar",
    "EnvoyFilter",
)
_ONE_A_SCOPE = ("PeerAuthentication", "Telemetry", "Sidecar")
_GATEWAY = (ROOT_NAMESPACE, INGRESS_GATEWAY_LABELS)
"""The mesh's own gateway, which no manifest declares."""
Pods = list[tuple[str, Mapping[str, str]]]


def _labels(policy: Resource) -> Mapping[str, str]:
    """What a policy's workloads must carry; empty selects all."""
    spec = policy.spec
    if policy.kind == "Sidecar":
        return spec.workload_selector.labels if spec.workload_selector else {}
    return spec.selector.match_labels if spec.selector else {}


def _field(policy: Resource) -> FieldPath:
    """The selector, or the whole spec where there is none."""
    own = policy.kind in ("Sidecar", "EnvoyFilter")
    field = "workloadSelector" if own else "selector"
    return ("spec", field) if _labels(policy) else ("spec",)


def selected(view: View, policy: Resource) -> Pods:
    """The pods that a policy is for; the mesh's own gateway counts as one."""
    everywhere = policy.namespace == ROOT_NAMESPACE
    wanted = _labels(policy).items()
    return [
        (namespace, labels)
        for namespace, labels in (*view.pods, _GATEWAY)
        if (everywhere or namespace == policy.namespace) and wanted <= labels.items()
    ]


def without_workloads(view: View) -> Iterator[Problem]:
    """A policy that selects nothing, and a mesh-wide one whose selector Istio does not look at."""
    for kind in KINDS:
        for policy in view.of(kind):
            labels = _labels(policy)
            if getattr(policy.spec, "has_target", False):
                yield policy.problem(
                    ("spec", "targetRefs" if policy.spec.target_refs else "targetRef"),
                    "is for a waypoint or a Gateway of the Gateway API, and there are none here: "
                    "sidecars pass it over, in Istio too",
                    remedy="write a selector",
                )
            elif labels and policy.namespace == ROOT_NAMESPACE and kind in _ONE_A_SCOPE:
                yield policy.problem(
                    _field(policy),
                    f"has labels, but in the root namespace {ROOT_NAMESPACE} Istio takes a "
                    f"{kind} without any only: this one does nothing",
                    remedy="write it in the workload's own namespace",
                )
            elif not selected(view, policy):
                text = ", ".join(f"{k}={v}" for k, v in labels.items())
                who = f"carries {text}" if text else "runs there"
                yield policy.problem(
                    _field(policy),
                    f"selects nothing: no pod of namespace {policy.namespace} {who}",
                    remedy="correct the labels or the namespace",
                )


def second_of_a_scope(view: View) -> Iterator[Problem]:
    """Of several for the same workloads the oldest is taken."""
    for kind in _ONE_A_SCOPE:
        first: dict[tuple[str, tuple[tuple[str, str], ...]], Resource] = {}
        for policy in view.of(kind):
            scope = (policy.namespace, tuple(sorted(_labels(policy).items())))
            older = first.setdefault(scope, policy)
            if older is not policy:
                yield policy.problem(
                    _field(policy),
                    f"{older.title} is for the same workloads; Istio takes the oldest, and "
                    "ignores this one",
                    remedy=f"write one {kind} for them",
                )


def unknown_ports(view: View) -> Iterator[Problem]:
    """A port that no Service leads to on the selected workloads: policies speak of container
    ports, not of Service ports."""
    for policy in view.of("PeerAuthentication"):
        for port in policy.spec.port_level_mtls:
            yield from _unknown(view, policy, ("spec", "portLevelMtls", port), port)
    for policy in view.of("AuthorizationPolicy"):
        for index, rule in enumerate(policy.spec.rules):
            for number, entry in enumerate(rule.to or ()):
                here: FieldPath = ("spec", "rules", index, "to", number, "operation", "ports")
                for place, port in enumerate(entry.operation.ports):
                    yield from _unknown(view, policy, (*here, place), port)


def _unknown(view: View, policy: Resource, path: FieldPath, port: str) -> Iterator[Problem]:
    targets = _target_ports(view, selected(view, policy))
    if targets and int(port) not in targets:
        yield policy.problem(
            path,
            f"no Service leads to port {port} of the selected workloads; policies name the "
            "container's port, so this one never holds",
            "one of " + ", ".join(str(target) for target in sorted(targets)),
        )


def _target_ports(view: View, pods: Pods) -> set[int]:
    """Where Services lead to on these pods; empty where that is not known for sure."""
    if not pods or _GATEWAY in pods:
        return set()
    found: set[int] = set()
    for service in view.services:
        if not service.selector or not any(
            namespace == service.namespace and service.selector.items() <= labels.items()
            for namespace, labels in pods
        ):
            continue
        for port in service.ports:
            if not isinstance(port.target_port, int):
                return set()
            found.add(port.target_port)
    return found
