"""HorizontalPodAutoscalers among what is applied: whom they scale, and which cannot work. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.errors import Problem
from meshproof.model.kube_hpa import Metric, parse_quantity
from meshproof.model.resource import Resource


def cpu_request(deployment: Resource) -> float:
    """Cores that the container requests; 0 where it requests none, or nothing readable."""
    resources = deployment.spec.template.spec.containers[0].resources
    requests = resources.get("requests") if isinstance(resources, dict) else None
    try:
        return parse_quantity(requests["cpu"]) if isinstance(requests, dict) else 0.0
    except (KeyError, ValueError):
        return 0.0


def warnings(resources: Iterable[Resource]) -> list[Problem]:
    """Autoscalers that cannot work: no such Deployment, two of one, no request to compare with."""
    found, seen = [], set()
    every = list(resources)
    for scaler in (r for r in every if r.kind == "HorizontalPodAutoscaler"):
        scaled, path = scaled_by(every, scaler), ("spec", "scaleTargetRef", "name")
        title = f"Deployment {scaler.namespace}/{scaler.spec.scale_target_ref.name}"
        if scaled is None:
            found.append(scaler.problem(path, f"{title} is not applied: nothing is scaled"))
        elif target(scaler) in seen:
            found.append(scaler.problem(path, f"{title} has another autoscaler: they will fight"))
        elif not cpu_request(scaled) and any(
            _needs_request(m) for m in scaler.spec.effective_metrics
        ):
            remedy = "say resources.requests.cpu there"
            found.append(
                scaler.problem(path, f"{title} requests no cpu: its share is not known", "", remedy)
            )
        seen.add(target(scaler))
    return found


def _needs_request(metric: Metric) -> bool:
    return metric.resource is not None and metric.resource.target.type == "Utilization"


def target(scaler: Resource) -> tuple[str, str]:
    """Namespace and name of its Deployment."""
    return (scaler.namespace, scaler.spec.scale_target_ref.name)


def scaled_by(resources: Iterable[Resource], scaler: Resource) -> Resource | None:
    """Its Deployment, if that is applied."""
    key = ("Deployment", *target(scaler))
    return next((r for r in resources if r.key == key), None)
