"""What a step knows of the Envoy configuration that decided, for programs that judge it."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.explain.result import Step
from tests.explain.mesh_files import explain_request, http, only_outcome

POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: echo, namespace: shop}
spec:
  selector: {matchLabels: {app: echo}}
  rules: [{to: [{operation: {methods: [GET]}}]}]
"""
ROUTE = http("{route: [{destination: {host: echo, subset: v1}}], timeout: 3s}")


def steps(tree: tuple[Step, ...]) -> Iterator[Step]:
    for step in tree:
        yield step
        yield from steps(step.branches)


def test_a_step_holds_the_route_the_cluster_and_the_filters() -> None:
    explanation = explain_request(ROUTE, "http://echo/")
    outbound, inbound = explanation.steps[0], explanation.steps[0].branches[0]
    assert outbound.envoy["route"]["route"]["timeout"] == "3s"
    assert inbound.envoy["cluster"]["name"] == "outbound|80|v1|echo.shop.svc.cluster.local"
    assert "envoy.filters.http.fault" in outbound.envoy["filters"]


def test_a_step_names_the_policy_that_let_the_request_in() -> None:
    explanation = explain_request(ROUTE + "---" + POLICY, "http://echo/")
    policies = {str(p) for s in steps(explanation.steps) for p in s.policies}
    assert policies == {"AuthorizationPolicy shop/echo spec.rules[0] (rules.yaml:70)"}


def test_no_policy_lets_in_what_is_denied() -> None:
    explanation = explain_request(ROUTE + "---" + POLICY, "http://echo/", method="PUT")
    assert [p for s in steps(explanation.steps) for p in s.policies] == []


def test_an_outcome_has_the_headers_that_arrive() -> None:
    route = "{route: [{destination: {host: echo, subset: v1}}], headers: {request: {set: {a: b}}}}"
    outcome = only_outcome(explain_request(http(route), "http://echo/"))
    assert dict(outcome.headers)["a"] == "b"
