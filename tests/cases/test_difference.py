"""Two meshes of files: which requests are answered differently, and by which rule."""

from __future__ import annotations

import pytest

from meshproof.cases.case import CaseRequest, RuleSet
from meshproof.cases.difference import NOT_THERE, Difference, compare
from meshproof.cases.planned_mesh import PlannedMesh
from tests.cases.mesh_files import MANIFESTS, POLICY, SPLIT, TO_V1, TO_V2, planner, rule

HEADER = "{match: [{headers: {x-user: {exact: tester}}}], " + TO_V2[1:]


def mesh(rules: str, manifests: str = MANIFESTS) -> PlannedMesh:
    return planner(rules, manifests).plan(RuleSet())


def differences(old: str, new: str) -> list[Difference]:
    return compare(mesh(old), mesh(new))[0]


def changes(old: str, new: str) -> set[tuple[str, str, str]]:
    return {change for d in differences(old, new) for change in d.changes}


def test_equal_rules_do_not_differ() -> None:
    result, compared = compare(mesh(rule(TO_V1)), mesh("# moved\n" + rule(TO_V1)))
    assert result == []
    assert compared > 3


@pytest.mark.parametrize(
    ("new", "change"),
    [
        (rule(TO_V2), ("answer", "shop/echo-v1 v1", "shop/echo-v2 v2")),
        (rule(SPLIT), ("answer", "shop/echo-v1 v1", "shop/echo-v1 v1 90 %, shop/echo-v2 v2 10 %")),
        (rule("{timeout: 2s, " + TO_V1[1:]), ("timeout", "none", "2s")),
        (rule("{rewrite: {uri: /new}, " + TO_V1[1:]),
         ("arrives as", "GET http://echo/", "GET http://echo/new")),
        (rule("{mirror: {host: echo, subset: v2}, " + TO_V1[1:]),
         ("mirrored to", "", "shop/echo-v2 v2 100 %")),
        (rule("{redirect: {uri: /x}}"), ("answer", "shop/echo-v1 v1", "301 to http://echo/x")),
        (rule("{fault: {delay: {fixedDelay: 1s, percentage: {value: 5}}}, " + TO_V1[1:]),
         ("delay", "", "1s for 5 %")),
        (rule("{headers: {request: {set: {a: b}}}, " + TO_V1[1:]), ("with headers", "", "a: b")),
    ],
)  # fmt: skip
def test_what_a_route_does_differently(new: str, change: tuple[str, str, str]) -> None:
    assert change in changes(rule(TO_V1), new)


def test_a_match_of_either_side_is_asked_for() -> None:
    for old, new in ((rule(TO_V1), rule(HEADER, TO_V1)), (rule(HEADER, TO_V1), rule(TO_V1))):
        headers = {d.request.headers for d in differences(old, new)}
        assert headers == {(("x-user", "tester"),)}


def test_a_policy_is_asked_by_whom_it_lets_in_and_by_others() -> None:
    result = differences(rule(TO_V1), rule(TO_V1) + "---" + POLICY)
    assert ("answer", "shop/echo-v1 v1", "403") in {c for d in result for c in d.changes}
    assert "shop/client" not in {d.request.sender for d in result if d.request.url.endswith("/ok")}


def test_the_rules_that_cause_it_are_named() -> None:
    first = differences(rule(TO_V1), rule(TO_V2))[0]
    assert first.rules == tuple(2 * ["VirtualService shop/echo spec.http[0] (rules.yaml:16)"])


def test_requests_of_cases_are_compared_too() -> None:
    old, new = rule(TO_V1), rule("{match: [{uri: {regex: '/[x-z]+'}}], " + TO_V2[1:], TO_V1)
    request = CaseRequest("client", "http://echo/xyz")
    assert request in {d.request for d in compare(mesh(old), mesh(new), [request])[0]}


def test_a_workload_that_is_gone_is_a_difference() -> None:
    smaller = MANIFESTS.replace("other", "another")
    result, _ = compare(mesh(rule(TO_V1)), mesh(rule(TO_V1), smaller))
    assert NOT_THERE in {new for d in result for _, _, new in d.changes}
