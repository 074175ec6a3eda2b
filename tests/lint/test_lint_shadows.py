"""What is never reached or never used: dead routes, shadowed matches, second rules for a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.lint.conftest import Lint

RULE = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{hosts: [{host}], exportTo: {export}, http: {http}}}
"""
FULL = "svcb.default.svc.cluster.local"
ROUTE = "route: [{destination: {host: svcb.default.svc.cluster.local}}]"
POLICY = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{host: svcb.default.svc.cluster.local, {spec}}}
"""


def rule(
    http: str,
    name: str = "one",
    namespace: str = "default",
    host: str = FULL,
    export: str = "['*']",
) -> str:
    return RULE.format(name=name, namespace=namespace, host=host, export=export, http=http)


def matches(*entries: str | None) -> str:
    """One route an entry; ``None`` is a route without a match."""
    routes = (f"{{match: [{e}], {ROUTE}}}" if e else f"{{{ROUTE}}}" for e in entries)
    return rule(f"[{', '.join(routes)}]")


@pytest.mark.parametrize(
    "everything",
    [None, "{uri: {prefix: /}}", "{uri: {regex: .*}}", "{name: all}", "{gateways: [mesh]}"],
)
def test_route_behind_a_catch_all(lint: Lint, everything: str | None) -> None:
    (problem,) = lint(matches(everything, "{uri: {prefix: /a}}"))
    assert problem.field == "spec.http[1]"
    assert "is dead: spec.http[0]" in problem.found


@pytest.mark.parametrize(
    "almost",
    [
        "{uri: {prefix: /x}}",
        "{uri: {prefix: /}, method: {exact: GET}}",
        "{headers: {x: {}}}",
        "{withoutHeaders: {x: {}}}",
        "{queryParams: {x: {exact: a}}}",
        "{port: 80}",
        "{sourceLabels: {app: svca}}",
        "{sourceNamespace: other}",
    ],
)
def test_not_a_catch_all(lint: Lint, almost: str) -> None:
    assert lint(matches(almost, "{uri: {prefix: /a}}")) == []


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("{headers: {x: {exact: a}}}", "{headers: {x: {exact: a}}}"),
        ("{headers: {x: {exact: a}}}", "{headers: {x: {exact: a}, z: {exact: b}}}"),
        ("{uri: {prefix: /a}}", "{uri: {exact: /a}}"),
        ("{uri: {prefix: /a}}", "{uri: {prefix: /ab}, method: {exact: GET}}"),
        ("{uri: {regex: '/a.*'}}", "{uri: {regex: '/a.*'}}"),
        ("{sourceLabels: {app: svca}}", "{sourceLabels: {app: svca, version: v1}}"),
    ],
)
def test_shadowed_match(lint: Lint, first: str, later: str) -> None:
    (problem,) = lint(matches(first, later, None))
    assert problem.field == "spec.http[1].match[0]"
    assert "shadowed" in problem.found


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("{headers: {x: {exact: a}}}", "{headers: {x: {exact: b}}}"),
        ("{headers: {x: {exact: a}, z: {exact: b}}}", "{headers: {x: {exact: a}}}"),
        ("{uri: {exact: /a}}", "{uri: {prefix: /a}}"),
        ("{uri: {prefix: /ab}}", "{uri: {prefix: /a}}"),
        ("{uri: {prefix: /a}}", "{uri: {exact: /A}, ignoreUriCase: true}"),
        ("{uri: {prefix: /a}}", "{uri: {regex: '/a.*'}}"),
        ("{sourceLabels: {app: svca}}", "{gateways: [mesh], method: {exact: GET}}"),
    ],
)
def test_match_of_its_own(lint: Lint, first: str, later: str) -> None:
    assert lint(matches(first, later, None)) == []


def test_dead_0_4_rule_names_the_rule_in_front(lint: Lint) -> None:
    text = "".join(
        f"""
---
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {{name: {name}}}
spec: {{destination: {{name: svcb}}, precedence: {precedence}}}
"""
        for name, precedence in (("low", 1), ("high", 2))
    )
    (problem,) = lint(text)
    assert problem.resource == "RouteRule default/low"
    assert "RouteRule default/high (rules.yaml:12)" in problem.found


def test_second_virtual_service(lint: Lint) -> None:
    http = f"[{{{ROUTE}}}]"
    (problem,) = lint(rule(http) + rule(http, "two", host="svcb"))
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
    new = rule(f"[{{{ROUTE}}}]", "new")
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
    assert lint(rule(http) + rule(http, "two", **other)) == []


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("trafficPolicy: {}", "trafficPolicy: {}", "trafficPolicy is ignored"),
        ("subsets: [{name: a}]", "subsets: [{name: a}, {name: b}]", "subset a is ignored"),
        ("subsets: [{name: a}]", "subsets: [{name: b}]", "part is added"),
    ],
)
def test_second_destination_rule(lint: Lint, first: str, second: str, words: str) -> None:
    one = POLICY.format(name="one", namespace="default", spec=first)
    (problem,) = lint(one + POLICY.format(name="two", namespace="default", spec=second))
    assert problem.resource == "DestinationRule default/two"
    assert words in problem.found
    assert lint(one + POLICY.format(name="two", namespace="other", spec=second)) == []
