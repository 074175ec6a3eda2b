"""Two rules for one host."""

from __future__ import annotations

import pytest

from tests.lint.conftest import Lint
from tests.lint.virtual_services import ROUTE, virtual_service

POLICY = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{host: svcb.default.svc.cluster.local, {spec}}}
"""


def test_second_virtual_service(lint: Lint) -> None:
    http = f"[{{{ROUTE}}}]"
    (problem,) = lint(virtual_service(http) + virtual_service(http, "two", host="svcb"))
    assert (problem.resource, problem.field) == ("VirtualService default/two", "spec.hosts[0]")
    assert "VirtualService default/one has" in problem.found


def test_route_rule_beside_a_virtual_service(lint: Lint) -> None:
    old = """
---
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: old}
spec: {destination: {name: svcb}}
"""
    new = virtual_service(f"[{{{ROUTE}}}]", "new")
    assert [p.resource for p in lint(old + new)] == ["VirtualService default/new"]
    (problem,) = lint(new + old)
    assert (problem.resource, problem.field) == ("RouteRule default/old", "spec.destination")


@pytest.mark.parametrize(
    "other",
    [
        {"host": "svca.default.svc.cluster.local"},
        {"namespace": "other", "export": "['.']"},
    ],
)
def test_no_second_virtual_service(lint: Lint, other: dict[str, str]) -> None:
    http = f"[{{{ROUTE}}}]"
    assert lint(virtual_service(http) + virtual_service(http, "two", **other)) == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("trafficPolicy: {tls: {}}", "trafficPolicy: {tls: {}}", "trafficPolicy is ignored"),
        ("subsets: [{name: a}]", "subsets: [{name: a}, {name: b}]", "subset a is ignored"),
        ("subsets: [{name: a}]", "subsets: [{name: b}]", "part is added"),
    ],
)
def test_second_destination_rule(lint: Lint, first: str, second: str, expected: str) -> None:
    one = POLICY.format(name="one", namespace="default", spec=first)
    (problem,) = lint(one + POLICY.format(name="two", namespace="default", spec=second))
    assert problem.resource == "DestinationRule default/two"
    assert expected in problem.found
    assert lint(one + POLICY.format(name="two", namespace="other", spec=second)) == []
