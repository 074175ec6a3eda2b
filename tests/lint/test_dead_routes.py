"""Routes and matches that no request reaches."""

from __future__ import annotations

import pytest

from tests.lint.conftest import Lint
from tests.lint.virtual_services import ROUTE, virtual_service

HEAD = "apiVersion: networking.istio.io/v1\n"
DELEGATING = (
    f"{HEAD}kind: VirtualService\nmetadata: {{name: root}}\n"
    "spec: {hosts: [svcb], http: [{delegate: {name: part}}, {route: [{destination: "
    "{host: svcb}}]}]}\n---\n"
    f"{HEAD}kind: VirtualService\nmetadata: {{name: part}}\n"
    "spec: {http: [{match: [{uri: {prefix: /a}}], route: [{destination: {host: svca}}]}]}\n"
)


def matches(*entries: str | None) -> str:
    """One route an entry; ``None`` is a route without a match."""
    routes = (f"{{match: [{e}], {ROUTE}}}" if e else f"{{{ROUTE}}}" for e in entries)
    return virtual_service(f"[{', '.join(routes)}]")


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


def test_dead_0_4_rule_names_the_rule_before_it(lint: Lint) -> None:
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


def test_a_route_after_a_delegate_is_not_dead(lint: Lint) -> None:
    assert lint(DELEGATING) == []
