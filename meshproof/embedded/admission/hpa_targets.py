"""The targets of HorizontalPodAutoscalers, and autoscalers that cannot work. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshproof.errors import Problem
from meshproof.model.quantities import parse_quantity
from meshproof.model.resource import Resource

if TYPE_CHECKING:
    from meshproof.model.kube_hpa import Metric


def cpu_request(deployment: Resource) -> float:
    """Cores that the container requests; 0 if it requests none, or no valid quantity."""
    resources = deployment.spec.template.spec.containers[0].resources
    requests = resources.get("requests") if isinstance(resources, dict) else None
    try:
        return parse_quantity(requests["cpu"]) if isinstance(requests, dict) else 0.0
    except (KeyError, ValueError):
        return 0.0


def find_idle(resources: Iterable[Resource]) -> list[Problem]:
    """Autoscalers that cannot work: their Deployment is not applied, or requests no CPU to compare
    with, or has another autoscaler."""
    problems, targets = [], set()
    applied = list(resources)
    for scaler in (r for r in applied if r.kind == "HorizontalPodAutoscaler"):
        scaled, path = scaled_by(applied, scaler), ("spec", "scaleTargetRef", "name")
        title = f"Deployment {scaler.namespace}/{scaler.spec.scale_target_ref.name}"
        if scaled is None:
            problems.append(scaler.problem(path, f"{title} is not applied: nothing is scaled"))
        elif target(scaler) in targets:
            problems.append(
                scaler.problem(path, f"{title} has another autoscaler: they will fight")
            )
        elif not cpu_request(scaled) and any(
            _needs_request(m) for m in scaler.spec.effective_metrics
        ):
            remedy = "set resources.requests.cpu there"
            problems.append(
                scaler.problem(path, f"{title} requests no cpu: its share is not known", "", remedy)
            )
        targets.add(target(scaler))
    return problems


def _needs_request(metric: Metric) -> bool:
    return metric.resource is not None and metric.resource.target.type == "Utilization"


def target(scaler: Resource) -> tuple[str, str]:
    """Namespace and name of its Deployment."""
    return (scaler.namespace, scaler.spec.scale_target_ref.name)


def scaled_by(resources: Iterable[Resource], scaler: Resource) -> Resource | None:
    """The Deployment that it scales; None if that is not applied."""
    key = ("Deployment", *target(scaler))
    return next((r for r in resources if r.key == key), None)
