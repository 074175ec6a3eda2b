"""Kinds that create pods: Deployment, StatefulSet, DaemonSet, bare Pod."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Labels
from meshproof.model.kube_fields import SILENT, Ignored, NoEffect
from meshproof.model.kube_pod import PodMetadata, PodSpec, PodTemplate
from meshproof.model.kube_volumes import ClaimTemplate
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Pod")
"""Kinds whose pods run as local processes."""
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
"""The labels that Kubernetes puts on the pods of a StatefulSet."""
_TEMPLATES = "inject.istio.io/templates"
_PROXY = "istio-proxy"


class LabelSelector(Model):
    match_labels: Labels = {}
    match_expressions: Annotated[Any, NoEffect("only matchLabels are compared", ([],))] = None


class DeploymentSpec(Model):
    """``apps/v1`` Deployment. A change of its pods replaces replicas one by one, whatever the
    strategy."""

    selector: LabelSelector
    template: PodTemplate
    replicas: Annotated[int, Field(ge=0)] = 1
    min_ready_seconds: Ignored = None
    paused: Annotated[Any, NoEffect("", (False,))] = None
    progress_deadline_seconds: Annotated[int, Field(ge=1)] | None = None
    revision_history_limit: Annotated[Any, SILENT] = None
    strategy: Annotated[Any, NoEffect("replicas are replaced one by one")] = None

    @model_validator(mode="after")
    def _selects_its_pods(self) -> Self:
        labels = self.template.metadata.labels
        if not self.selector.match_labels and not self.selector.match_expressions:
            raise FieldError("selects nothing; wanted matchLabels", "selector")
        missing = [f"{k}: {v}" for k, v in self.selector.match_labels.items() if labels.get(k) != v]
        if missing:
            message = f"selects {', '.join(missing)}, which the pods of its template do not have"
            raise FieldError(
                f"{message}; wanted labels of template.metadata.labels", "selector", "matchLabels"
            )
        return self


class StatefulSetSpec(DeploymentSpec):
    """``apps/v1`` StatefulSet: its pods have ordinals, and folders and DNS names by ordinal. All
    start and stop at the same time."""

    service_name: str = ""
    volume_claim_templates: list[ClaimTemplate] = []
    pod_management_policy: Annotated[
        Any, NoEffect("replicas start and end at the same time", ("Parallel",))
    ] = None
    update_strategy: Annotated[Any, NoEffect("replicas are replaced one by one")] = None
    persistent_volume_claim_retention_policy: Annotated[Any, SILENT] = None
    ordinals: Annotated[Any, NoEffect("replicas are numbered from 0")] = None


class DaemonSetSpec(DeploymentSpec):
    """``apps/v1`` DaemonSet: this machine is one node, so there is one replica."""

    update_strategy: Annotated[Any, NoEffect("replicas are replaced one by one")] = None


def template_of(resource: Resource) -> PodTemplate:
    """The pod template of a workload; a bare Pod is its own."""
    spec = resource.spec
    if isinstance(spec, DeploymentSpec):
        return spec.template
    assert isinstance(spec, PodSpec), "WORKLOADS are these"
    labels: Labels = dict(resource.labels)
    annotations = dict(resource.body.get("metadata", {}).get("annotations") or {})
    return PodTemplate.model_construct(
        metadata=PodMetadata.model_construct(labels=labels, annotations=annotations), spec=spec
    )


def is_gateway(resource: Resource) -> bool:
    """Whether a workload's pods are gateways: an Envoy of Istio's without an app. Its template asks
    the injector for one, or its first container is Istio's proxy, as charts render it."""
    template = template_of(resource)
    templates = template.metadata.annotations.get(_TEMPLATES, "").split(",")
    return "gateway" in map(str.strip, templates) or template.spec.containers[0].name == _PROXY


def runs_app(resource: Resource) -> bool:
    """Whether it is a workload with an app, which runs as a local process."""
    return resource.kind in WORKLOADS and resource.spec is not None and not is_gateway(resource)


def replicas_of(resource: Resource) -> int:
    return resource.spec.replicas if isinstance(resource.spec, DeploymentSpec) else 1


def pod_path(resource: Resource) -> FieldPath:
    """The path of the pod spec in its document."""
    return ("spec",) if resource.kind == "Pod" else ("spec", "template", "spec")


def pod_metadata_path(resource: Resource) -> FieldPath:
    """The path of the metadata of a workload's pods."""
    return ("metadata",) if resource.kind == "Pod" else ("spec", "template", "metadata")


def container_path(resource: Resource) -> FieldPath:
    """The path of the app's container in its document."""
    return (*pod_path(resource), "containers", 0)


def claims_of(resource: Resource) -> tuple[str, ...]:
    """The volumes of which each pod of a StatefulSet has its own."""
    spec = resource.spec
    templates = spec.volume_claim_templates if isinstance(spec, StatefulSetSpec) else ()
    return tuple(template.metadata.name for template in templates)
