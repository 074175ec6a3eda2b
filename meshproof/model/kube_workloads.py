"""Objects that make pods: Deployment, StatefulSet, DaemonSet, bare Pod; what all have."""

from __future__ import annotations

from typing import Annotated, Any

from meshproof.model.field_types import Labels
from meshproof.model.kube import DeploymentSpec
from meshproof.model.kube_pod import NotHonoured, PodMetadata, PodSpec, PodTemplate
from meshproof.model.kube_volumes import ClaimTemplate
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Pod")
"""Kinds whose pods run as local processes."""
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
"""Labels that Kubernetes gives to the pods of a StatefulSet."""
_SILENT = NotHonoured(silent=True)


class StatefulSetSpec(DeploymentSpec):
    """``apps/v1`` StatefulSet: its pods have numbers, and folders and DNS names by number; all
    start and end at the same time."""

    service_name: str = ""
    volume_claim_templates: list[ClaimTemplate] = []
    pod_management_policy: Annotated[
        Any, NotHonoured("replicas start and end at the same time", ("Parallel",))
    ] = None
    update_strategy: Annotated[Any, NotHonoured("replicas are replaced in meshproof's own way")] = (
        None
    )
    persistent_volume_claim_retention_policy: Annotated[Any, _SILENT] = None
    ordinals: Annotated[Any, NotHonoured("replicas are numbered from 0")] = None


class DaemonSetSpec(DeploymentSpec):
    """``apps/v1`` DaemonSet: this machine is one node, so there is one replica."""

    update_strategy: Annotated[Any, NotHonoured("replicas are replaced in meshproof's own way")] = (
        None
    )


def template_of(resource: Resource) -> PodTemplate:
    """The pods of a workload; a bare Pod is its own template."""
    spec = resource.spec
    if isinstance(spec, DeploymentSpec):
        return spec.template
    assert isinstance(spec, PodSpec), "WORKLOADS are these"
    labels: Labels = dict(resource.labels)
    return PodTemplate.model_construct(
        metadata=PodMetadata.model_construct(labels=labels), spec=spec
    )


def replicas_of(resource: Resource) -> int:
    return resource.spec.replicas if isinstance(resource.spec, DeploymentSpec) else 1


def pod_path(resource: Resource) -> FieldPath:
    """Where the pod's own spec stands in its document."""
    return ("spec",) if resource.kind == "Pod" else ("spec", "template", "spec")


def container_path(resource: Resource) -> FieldPath:
    """Where the app's container stands in its document."""
    return (*pod_path(resource), "containers", 0)


def claims_of(resource: Resource) -> tuple[str, ...]:
    """Volumes of which each numbered pod has its own."""
    spec = resource.spec
    templates = spec.volume_claim_templates if isinstance(spec, StatefulSetSpec) else ()
    return tuple(template.metadata.name for template in templates)
