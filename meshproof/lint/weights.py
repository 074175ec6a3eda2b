"""Weights that do nothing, or are no percentages."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.sources.location import FieldPath


def find_odd_weights(context: LintContext) -> Iterator[Problem]:
    """A weight of a single destination, or weights that do not add up to 100."""
    for rule in context.of("VirtualService"):
        for index, route in enumerate(rule.spec.http):
            path: FieldPath = ("spec", "http", index, "route")
            weights = [entry.weight for entry in route.route]
            if len(weights) == 1:
                if "weight" in route.route[0].model_fields_set and weights[0] != 100:
                    yield rule.problem(
                        (*path, 0, "weight"),
                        f"is {weights[0]}, but Istio ignores the weight of a single destination: "
                        "it gets 100 %",
                        "100, or none",
                    )
            elif weights and sum(weights) != 100:
                shares = ", ".join(f"{w / sum(weights):.4g}" for w in weights)
                yield rule.problem(
                    path,
                    f"the weights add up to {sum(weights)}; Istio takes them as proportions "
                    f"(shares {shares})",
                    "a sum of 100",
                )
