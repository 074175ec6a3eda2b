"""Which pods have a sidecar. Pure.

As Istio's injection webhook decides (pkg/kube/inject: injectRequired; the selectors of its
revision-default webhook). The mesh is one with ``enableNamespacesByDefault``: a namespace that
says nothing has sidecars, unless an IstioOperator sets that value to false, Istio's own default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from meshproof.model.kube_workloads import pod_metadata_path, template_of
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

INJECT = "sidecar.istio.io/inject"
NAMESPACE = "istio-injection"
_REVISION = "istio.io/rev"
_YES = ("y", "yes", "true", "on")
KINDS = ("Namespace", "IstioOperator")
"""The objects that decide, beside the workloads themselves."""


@dataclass(frozen=True)
class Injection:
    """``namespaces`` are the labels of every declared Namespace."""

    by_default: bool = True
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def has_sidecar(self, workload: Resource) -> bool:
        """Whether the pods of a workload have one. A label of a pod wins over its annotation."""
        namespace = self.namespaces.get(workload.namespace, {})
        if namespace.get(NAMESPACE) == "disabled":
            return False
        metadata = template_of(workload).metadata
        own = metadata.labels.get(INJECT, metadata.annotations.get(INJECT, ""))
        if own:
            return own.lower() in _YES
        says_yes = namespace.get(NAMESPACE) == "enabled" or _REVISION in {
            *namespace,
            *metadata.labels,
        }
        return says_yes or self.by_default

    def reason(self, workload: Resource) -> tuple[FieldPath, str]:
        """The field of a workload by which it has none, or the whole; and why."""
        base = pod_metadata_path(workload)
        metadata = template_of(workload).metadata
        for where, values in (
            ("labels", metadata.labels),
            ("annotations", metadata.annotations),
        ):
            if INJECT in values:
                return (*base, where, INJECT), f'is "{values[INJECT]}"'
        return ("metadata", "namespace"), f"{workload.namespace} has no injection"


def injection_of(resources: Iterable[Resource]) -> Injection:
    """What Namespaces and IstioOperators say; of several operators the last."""
    by_default, namespaces = True, {}
    for resource in resources:
        if resource.kind == "Namespace":
            namespaces[resource.name] = dict(resource.labels)
        elif resource.kind == "IstioOperator":
            webhook = resource.spec.values.sidecar_injector_webhook
            by_default = webhook.enable_namespaces_by_default
    return Injection(by_default, namespaces)
