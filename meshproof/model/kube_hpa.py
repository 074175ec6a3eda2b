"""autoscaling/v2 HorizontalPodAutoscaler: scales a Deployment's replicas by load.

Metrics are ``Resource`` cpu, and ``Pods`` with the metric ``requests_in_flight``; others are
refused.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.kube_fields import Seconds
from meshproof.model.quantities import parse_quantity
from meshproof.model.string_types import NonEmpty

IN_FLIGHT = "requests_in_flight"
Quantity = Annotated[float, BeforeValidator(parse_quantity)]
Count = Annotated[int, Field(ge=1)]


class ScaleTarget(Model):
    kind: Literal["Deployment"]
    name: NonEmpty
    api_version: Literal["apps/v1"] = "apps/v1"


class CpuTarget(Model):
    """In per cent of the requested cpu, or in cores a replica."""

    type: Literal["Utilization", "AverageValue"]
    average_utilization: Count | None = None
    average_value: Quantity | None = None

    @model_validator(mode="after")
    def _the_one(self) -> Self:
        by_share = self.average_utilization is not None and self.average_value is None
        by_value = self.average_value is not None and self.average_utilization is None
        if not (by_share if self.type == "Utilization" else by_value):
            field = "averageUtilization" if self.type == "Utilization" else "averageValue"
            raise ValueError(f"of type {self.type} needs another field; wanted {field} alone")
        return self


class ResourceMetric(Model):
    name: Literal["cpu"]
    target: CpuTarget


class MetricName(Model):
    name: Literal["requests_in_flight"]


class PodsTarget(Model):
    type: Literal["AverageValue"]
    average_value: Quantity


class PodsMetric(Model):
    metric: MetricName
    target: PodsTarget


class Metric(Model):
    type: Literal["Resource", "Pods"]
    resource: ResourceMetric | None = None
    pods: PodsMetric | None = None

    @model_validator(mode="after")
    def _the_one(self) -> Self:
        sources = {"Resource": self.resource, "Pods": self.pods}
        if sources.pop(self.type) is None or any(sources.values()):
            raise ValueError(
                f"of type {self.type} needs another field; wanted {self.type.lower()} alone"
            )
        return self


class Policy(Model):
    type: Literal["Pods", "Percent"]
    value: Count
    period_seconds: Annotated[int, Field(ge=1, le=1800)]


class ScalingRules(Model):
    """The rate limits of one direction; Kubernetes' defaults fill in the rest (``Behavior``)."""

    stabilization_window_seconds: Annotated[Seconds, Field(le=3600)] | None = None
    select_policy: Literal["Max", "Min", "Disabled"] = "Max"
    policies: list[Policy] | None = None

    @model_validator(mode="after")
    def _policies(self) -> Self:
        if self.policies == []:
            raise FieldError("is empty; wanted one or more, or none at all", "policies")
        return self


_AT_ONCE = {"type": "Percent", "value": 100, "periodSeconds": 15}
DEFAULT_SCALE_UP = ScalingRules.model_validate(
    {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, _AT_ONCE],
    }
)
DEFAULT_SCALE_DOWN = ScalingRules.model_validate(
    {"stabilizationWindowSeconds": 300, "policies": [_AT_ONCE]}
)


class Behavior(Model):
    scale_up: ScalingRules = ScalingRules.empty()
    scale_down: ScalingRules = ScalingRules.empty()


def _complete(rules: ScalingRules, default: ScalingRules) -> ScalingRules:
    window = rules.stabilization_window_seconds
    return rules.model_copy(
        update={
            "stabilization_window_seconds": (
                default.stabilization_window_seconds if window is None else window
            ),
            "policies": rules.policies or default.policies,
        }
    )


_CPU_80 = {"type": "Utilization", "averageUtilization": 80}


class HorizontalPodAutoscalerSpec(Model):
    scale_target_ref: ScaleTarget
    max_replicas: Count
    min_replicas: Count = 1
    metrics: list[Metric] = []
    behavior: Behavior = Behavior.empty()

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.max_replicas < self.min_replicas:
            message = f"is {self.max_replicas}, below minReplicas {self.min_replicas}; wanted more"
            raise FieldError(message, "maxReplicas")
        return self

    @property
    def effective_metrics(self) -> list[Metric]:
        """The metrics; by default 80 % of the requested cpu."""
        cpu = {"type": "Resource", "resource": {"name": "cpu", "target": _CPU_80}}
        return self.metrics or [Metric.model_validate(cpu)]

    @property
    def scale_up(self) -> ScalingRules:
        return _complete(self.behavior.scale_up, DEFAULT_SCALE_UP)

    @property
    def scale_down(self) -> ScalingRules:
        return _complete(self.behavior.scale_down, DEFAULT_SCALE_DOWN)
