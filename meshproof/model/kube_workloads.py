"""Objects that make pods: Deployment, StatefulSet, bare Pod; and what they have in common."""

from __future__ import annotations

from typing import Annotated, Any

from meshproof.model.base import Labels
from meshproof.model.kube import DeploymentSpec
from meshproof.model.kube_pod import NotHonoured, PodMetadata, PodSpec, PodTemplate
from meshproof.model.resource import Path, Resource

WORKLOADS = ("Deployment", "StatefulSet", "Pod")
"""Kinds whose pods run as local processes."""
_SILENT = NotHonoured(silent=True)


class StatefulSetSpec(DeploymentSpec):
    """``apps/v1`` StatefulSet, run as a Deployment is: no order, no stable names, no volumes."""

    service_name: Annotated[Any, NotHonoured("replicas have no DNS names of their own", ("",))] = (
        None
    )
    volume_claim_templates: Annotated[Any, NotHonoured("the files are not there", ([],))] = None
    pod_management_policy: Annotated[
        Any, NotHonoured("replicas start and end at the same time", ("Parallel",))
    ] = None
    update_strategy: Annotated[Any, NotHonoured("replicas are replaced in meshproof's own way")] = (
        None
    )
    persistent_volume_claim_retention_policy: Annotated[Any, _SILENT] = None
    ordinals: Annotated[Any, NotHonoured("replicas are numbered in meshproof's own way")] = None


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


def container_path(resource: Resource) -> Path:
    """Where the container that runs stands in its document."""
    pod: Path = ("spec",) if resource.kind == "Pod" else ("spec", "template", "spec")
    return (*pod, "containers", 0)
