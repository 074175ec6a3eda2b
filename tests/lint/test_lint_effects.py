"""Faults and weights that do less than they seem to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
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


@pytest.mark.parametrize(
    "fault",
    [
        "abort: {httpStatus: 500}",
        "abort: {httpStatus: 500, percentage: {}}",
        "delay: {fixedDelay: 1s}",
    ],
)
def test_fault_without_a_percentage(lint: Lint, fault: str) -> None:
    (problem,) = lint(RULE.format(extra=f"fault: {{{fault}}}", route=f"{{{TO}}}"))
    assert problem.field == f"spec.http[0].fault.{fault.split(':', maxsplit=1)[0]}"
    assert "nothing happens" in problem.found


@pytest.mark.parametrize(
    "fault",
    [
        "abort: {httpStatus: 500, percentage: {value: 1}}",
        "abort: {httpStatus: 500, percentage: {value: 0}}",
        "delay: {fixedDelay: 1s, percent: 10}",
    ],
)
def test_fault_with_a_percentage(lint: Lint, fault: str) -> None:
    assert lint(RULE.format(extra=f"fault: {{{fault}}}", route=f"{{{TO}}}")) == []


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
