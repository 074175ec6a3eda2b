"""HorizontalPodAutoscalers: read whole with Kubernetes' defaults, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.errors import Refused
from meshproof.model.quantities import parse_quantity
from meshproof.model.reader import read_text

FILE = Path(__file__).parents[2] / "manifests" / "autoscaling" / "svca.yaml"
WHOLE = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def read(**spec: Any) -> Any:
    document = {**WHOLE, "spec": {**WHOLE["spec"], **spec}}
    (resource,) = read_text(yaml.safe_dump(document), "hpa.yaml")
    return resource.spec


def test_the_file_of_this_repository_is_read() -> None:
    spec = read()
    assert (spec.min_replicas, spec.max_replicas) == (1, 3)
    (metric,) = spec.effective_metrics
    assert metric.resource.target.average_utilization == 80
    assert spec.scale_down.stabilization_window_seconds == 5


def test_what_is_not_said_is_as_kubernetes_has_it() -> None:
    document = {**WHOLE, "spec": {k: WHOLE["spec"][k] for k in ("scaleTargetRef", "maxReplicas")}}
    (resource,) = read_text(yaml.safe_dump(document), "hpa.yaml")
    spec = resource.spec
    assert spec.min_replicas == 1
    assert spec.effective_metrics[0].resource.target.average_utilization == 80
    assert (
        spec.scale_up.stabilization_window_seconds,
        spec.scale_down.stabilization_window_seconds,
    ) == (
        0,
        300,
    )
    policies = [(p.type, p.value, p.period_seconds) for p in spec.scale_up.policies]
    assert policies == [("Pods", 4, 15), ("Percent", 100, 15)]
    assert [(p.type, p.value) for p in spec.scale_down.policies] == [("Percent", 100)]


@pytest.mark.parametrize(
    ("text", "cores"), [("250m", 0.25), ("2", 2.0), (2, 2.0), ("1.5", 1.5), ("1k", 1000.0)]
)
def test_quantities(text: object, cores: float) -> None:
    assert parse_quantity(text) == cores


@pytest.mark.parametrize("text", ["", "50%", "-1", "m", "1Mi", None, True, "1e3"])
def test_what_is_no_quantity(text: object) -> None:
    with pytest.raises(ValueError, match="is not a quantity; wanted a number such as 250m"):
        parse_quantity(text)


def resource(**target: Any) -> list[dict[str, Any]]:
    return [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"maxReplicas": 0}, "spec.maxReplicas"),
        ({"minReplicas": 0}, "spec.minReplicas"),
        ({"minReplicas": 4}, "spec.maxReplicas: is 3, below minReplicas 4"),
        ({"scaleTargetRef": {"kind": "StatefulSet", "name": "a"}}, "spec.scaleTargetRef.kind"),
        ({"metrics": [{"type": "External"}]}, "spec.metrics[0].type"),
        ({"metrics": [{"type": "Resource"}]}, "of type Resource needs another field"),
        ({"metrics": resource(type="Utilization", averageValue="1")}, "averageUtilization alone"),
        ({"metrics": resource(type="AverageValue", averageUtilization=1)}, "averageValue alone"),
        ({"metrics": resource(type="AverageValue", averageValue="much")}, "is not a quantity"),
        ({"behavior": {"scaleUp": {"policies": []}}}, "spec.behavior.scaleUp.policies: is empty"),
        ({"behavior": {"scaleDown": {"stabilizationWindowSeconds": 3601}}}, "WindowSeconds"),
        ({"behavior": {"scaleUp": {"tolerance": "0.2"}}}, "does not honour yet"),
    ],
)
def test_what_is_refused(spec: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused) as refused:
        read(**spec)
    assert why in str(refused.value)


def test_the_old_version_is_named() -> None:
    text = yaml.safe_dump({**WHOLE, "apiVersion": "autoscaling/v1"})
    with pytest.raises(Refused, match=r"has no version autoscaling/v1; wanted autoscaling/v2"):
        read_text(text, "hpa.yaml")
