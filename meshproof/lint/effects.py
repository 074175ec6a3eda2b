"""Fields that do less than they seem to: faults without a percentage, weights."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.view import View
from meshproof.model.virtual_service_route import Abort, Delay
from meshproof.sources.location import FieldPath


def idle_faults(view: View) -> Iterator[Problem]:
    """Without a percentage Istio sends 0: nothing is delayed and nothing aborted."""
    for rule in view.of("VirtualService"):
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


def odd_weights(view: View) -> Iterator[Problem]:
    """A weight beside a single destination, or weights that are not percentages."""
    for rule in view.of("VirtualService"):
        for index, route in enumerate(rule.spec.http):
            here: FieldPath = ("spec", "http", index, "route")
            weights = [entry.weight for entry in route.route]
            if len(weights) == 1:
                if "weight" in route.route[0].model_fields_set and weights[0] != 100:
                    yield rule.problem(
                        (*here, 0, "weight"),
                        f"is {weights[0]}, but Istio ignores the weight of a single destination: "
                        "it gets 100 %",
                        "100, or none",
                    )
            elif weights and sum(weights) != 100:
                shares = ", ".join(f"{w / sum(weights):.4g}" for w in weights)
                yield rule.problem(
                    here,
                    f"the weights add up to {sum(weights)}; Istio takes them as proportions "
                    f"(shares {shares})",
                    "a sum of 100",
                )


def _has_percentage(part: Delay | Abort) -> bool:
    if isinstance(part, Delay) and part.percent is not None:
        return True
    return part.percentage is not None and "value" in part.percentage.model_fields_set
