"""Warnings about the original 0.4 rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meshproof.istio04.warnings import find_istio04_warnings

if TYPE_CHECKING:
    from meshproof.translate.world import Service
    from tests.istio04.conftest import Read

RULE = """
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: one}
spec:
  destination: {name: svcb}
"""


@pytest.mark.parametrize(
    ("body", "count", "field"),
    [
        ("  match: {source: {name: nobody}}", 1, "spec.match.source"),
        ("  match: {source: {name: svca}}", 0, ""),
        ("  httpFault: {abort: {httpStatus: 500}}", 1, "spec.httpFault.abort"),
        ("  httpFault: {delay: {fixedDelay: 1s}}", 1, "spec.httpFault.delay"),
        ("  httpFault: {abort: {httpStatus: 500, percent: 0}}", 0, ""),
    ],
)
def test_warnings(read: Read, services: list[Service], body: str, count: int, field: str) -> None:
    problems = find_istio04_warnings(read(RULE + body), services)
    assert len(problems) == count
    assert all(p.field == field and p.line == 7 and "Istio 0.4" in p.found for p in problems)
