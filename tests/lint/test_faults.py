"""Faults without a percentage."""

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
