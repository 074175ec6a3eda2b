"""Weights that do nothing, or do not add up to 100."""

from __future__ import annotations

import pytest

from tests.lint.conftest import Lint

RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: one}}
spec:
  hosts: [svcb]
  http:
  - {extra}
    route: [{route}]
"""
TO = "destination: {host: svcb}"


@pytest.mark.parametrize("weight", [0, 50])
def test_weight_of_a_single_destination(lint: Lint, weight: int) -> None:
    (problem,) = lint(RULE.format(extra="name: a", route=f"{{{TO}, weight: {weight}}}"))
    assert (problem.field, problem.line) == ("spec.http[0].route[0].weight", 9)
    assert "gets 100 %" in problem.found


@pytest.mark.parametrize("route", [f"{{{TO}}}", f"{{{TO}, weight: 100}}"])
def test_single_destination_without_a_doubt(lint: Lint, route: str) -> None:
    assert lint(RULE.format(extra="name: a", route=route)) == []


@pytest.mark.parametrize(("one", "two", "shares"), [(1, 3, "0.25, 0.75"), (90, 90, "0.5, 0.5")])
def test_weights_are_proportions(lint: Lint, one: int, two: int, shares: str) -> None:
    route = f"{{{TO}, weight: {one}}}, {{{TO}, weight: {two}}}"
    (problem,) = lint(RULE.format(extra="name: a", route=route))
    assert problem.field == "spec.http[0].route"
    assert shares in problem.found


def test_weights_of_100(lint: Lint) -> None:
    route = f"{{{TO}, weight: 40}}, {{{TO}, weight: 60}}"
    assert lint(RULE.format(extra="name: a", route=route)) == []
