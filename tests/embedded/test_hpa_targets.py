"""Autoscalers that cannot work are warned of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from meshproof.embedded.admission import hpa_targets
from meshproof.model.reader import read_resources, read_text

ROOT = Path(__file__).parents[2]
HPA = (ROOT / "manifests" / "autoscaling" / "svca.yaml").read_text(encoding="utf-8")
SUITE = read_resources([ROOT / "manifests" / "30-svca.yaml"])


def resources(text: str = HPA) -> list[Any]:
    return [*SUITE, *read_text(text, "hpa.yaml")]


def warned(text: str = HPA, *more: Any) -> list[str]:
    return [p.found for p in hpa_targets.find_idle([*resources(text), *more])]


def test_what_cannot_work_is_warned_of() -> None:
    assert warned() == []
    elsewhere = HPA.replace("    name: svca\n  minReplicas", "    name: svcz\n  minReplicas")
    assert warned(elsewhere) == ["Deployment payments/svcz is not applied: nothing is scaled"]
    second = read_text(HPA.replace("  name: svca\n  namespace", "  name: more\n  namespace"), "h")
    assert warned(HPA, *second) == [
        "Deployment payments/svca has another autoscaler: they will fight"
    ]
    silent = SUITE[0].spec.model_copy(deep=True)
    object.__setattr__(silent.template.spec.containers[0], "resources", None)
    (hpa,) = read_text(HPA, "hpa.yaml")
    (problem,) = hpa_targets.find_idle([replace(SUITE[0], spec=silent), hpa])
    assert "requests no cpu: its share is not known" in problem.found
