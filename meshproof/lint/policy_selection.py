"""Which pods a policy is for."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.istio_names import INGRESS_GATEWAY_LABELS, ROOT_NAMESPACE
from meshproof.lint.context import LintContext
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

GATEWAY = (ROOT_NAMESPACE, INGRESS_GATEWAY_LABELS)
"""The mesh's own gateway, which no manifest declares."""
Pods = list[tuple[str, Mapping[str, str]]]


def selector_labels(policy: Resource) -> Mapping[str, str]:
    """The labels that a policy selects by; empty selects all."""
    spec = policy.spec
    if policy.kind == "Sidecar":
        return spec.workload_selector.labels if spec.workload_selector else {}
    return spec.selector.match_labels if spec.selector else {}


def selector_path(policy: Resource) -> FieldPath:
    """The path of the selector, or of the whole spec where there is none."""
    own = policy.kind in ("Sidecar", "EnvoyFilter")
    field = "workloadSelector" if own else "selector"
    return ("spec", field) if selector_labels(policy) else ("spec",)


def selected_pods(context: LintContext, policy: Resource) -> Pods:
    """The pods that a policy is for; the mesh's own gateway counts as one."""
    everywhere = policy.namespace == context.mesh.root_namespace
    selector = selector_labels(policy).items()
    return [
        (namespace, labels)
        for namespace, labels in (*context.pods, GATEWAY)
        if (everywhere or namespace == policy.namespace) and selector <= labels.items()
    ]
