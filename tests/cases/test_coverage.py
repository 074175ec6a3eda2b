"""Coverage: routes and policies that no case visits."""

from __future__ import annotations

from tests.cases.mesh_files import POLICY, TO_V1, TO_V2, case, rule, run

HEADER = "{match: [{headers: {x-user: {exact: tester}}}], " + TO_V2[1:]
TCP = "  tcp: [{route: [{destination: {host: echo}}]}]\n"


def unvisited(text: str, rules: str) -> list[str]:
    return [str(u) for u in run(text, rules).report(0.0).coverage.unvisited]


def test_a_route_that_no_case_takes() -> None:
    text = case("{workload: echo}")
    assert unvisited(text, rule(HEADER, TO_V1)) == [
        "rules.yaml:16: VirtualService shop/echo spec.http[0]"
    ]
    assert unvisited(text, rule(TO_V1)) == []


def test_a_route_that_files_cannot_judge_is_not_visited() -> None:
    (line,) = unvisited(case("{workload: echo}"), rule(TO_V1) + TCP)
    assert line.endswith("VirtualService shop/echo spec.tcp[0]")


def test_a_policy_that_no_case_meets() -> None:
    other = case("{workload: client}", "{from: other, url: 'http://echo/'}")
    coverage = run(other.replace("workload: client", "allowed: false"), POLICY).report(0.0).coverage
    assert (coverage.routes, coverage.policies) == (0, 1)


def test_a_denial_by_absence_visits_the_policy() -> None:
    assert unvisited(case("{status: 403}", "{from: other, url: 'http://echo/'}"), POLICY) == []


def test_a_policy_for_somebody_else() -> None:
    rules = POLICY.replace("app: echo", "app: client")
    assert unvisited(case("{workload: echo}"), rules) == [
        "rules.yaml:8: AuthorizationPolicy shop/echo spec.rules[0]"
    ]
