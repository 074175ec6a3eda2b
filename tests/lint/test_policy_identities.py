"""Policies that name an identity that no caller has."""

from __future__ import annotations

import pytest

from tests.lint.conftest import Lint
from tests.lint.findings import authorization_policy, findings_of
from tests.lint.resources import policy

DISABLE = policy("PeerAuthentication", "{mtls: {mode: DISABLE}}", "plain")
BY_NAME = "{rules: [{from: [{source: {principals: [a], notNamespaces: [b]}}]}]}"
BY_CONDITION = "{rules: [{when: [{key: source.namespace, values: [a]}]}]}"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (BY_NAME, "spec.rules[0].from[0].source.principals"),
        (BY_CONDITION, "spec.rules[0].when[0].key"),
    ],
)
def test_nobody_has_an_identity_under_disable(lint: Lint, spec: str, field: str) -> None:
    (problem,) = lint(DISABLE + policy("AuthorizationPolicy", spec))
    assert problem.field == field
    assert "never matches" in problem.found
    assert lint(policy("AuthorizationPolicy", spec)) == []
    assert lint(DISABLE + policy("AuthorizationPolicy", "{rules: [{}]}")) == []


def test_one_workload_with_mutual_tls_is_enough(lint: Lint) -> None:
    mutual = "{selector: {matchLabels: {app: svcb}}, mtls: {mode: STRICT}}"
    rules = DISABLE + policy("PeerAuthentication", mutual, "mutual")
    assert lint(rules + policy("AuthorizationPolicy", BY_NAME)) == []


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ("namespaces: [default, oter]", "namespaces[1]"),
        ("principals: [cluster.local/ns/default/sa/svcx]", "principals[0]"),
        ("principals: [cluster.local/ns/nowhere/sa/svca]", "principals[0]"),
    ],
)
def test_a_source_that_nobody_is(source: str, field: str) -> None:
    (problem,) = findings_of(authorization_policy(source), "policy-source-unknown")
    assert problem.field == f"spec.rules[0].from[0].source.{field}"
    assert "one of" in problem.wanted
    assert findings_of(authorization_policy(source), "policy-source-unknown", accounts=False) == []


@pytest.mark.parametrize(
    "source",
    [
        "namespaces: [other, istio-system]",
        'namespaces: ["oth*"]',
        "principals: [cluster.local/ns/other/sa/far]",
        'principals: ["*/sa/svcx", "*"]',
        "principals: [cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account]",
    ],
)
def test_a_source_that_somebody_may_be(source: str) -> None:
    assert findings_of(authorization_policy(source), "policy-source-unknown") == []
