"""Faults without a percentage: they do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.virtual_service_route import Abort, Delay


def find_idle_faults(context: LintContext) -> Iterator[Problem]:
    """Without a percentage Istio sends 0: nothing is delayed and nothing aborted."""
    for rule in context.of("VirtualService"):
        for index, route in enumerate(rule.spec.http):
            if route.fault is None:
                continue
            for name, part in (("delay", route.fault.delay), ("abort", route.fault.abort)):
                if part is not None and not _has_percentage(part):
                    yield rule.problem(
                        ("spec", "http", index, "fault", name),
                        "has no percentage, which Istio reads as 0: nothing happens",
                        "percentage.value: 100, or less",
                    )


def _has_percentage(part: Delay | Abort) -> bool:
    if isinstance(part, Delay) and part.percent is not None:
        return True
    return part.percentage is not None and "value" in part.percentage.model_fields_set
