"""AuthorizationPolicies that Istio's own validation refuses, and what meshproof lacks."""

from __future__ import annotations

import pytest

from meshproof.model.reader import read_text
from tests.model.security import HEAD, POLICY, TOKENS, refusal


@pytest.mark.parametrize("kind", [POLICY, TOKENS, "PeerAuthentication"])
def test_a_spec_may_be_left_out(kind: str) -> None:
    (resource,) = read_text(HEAD.format(kind=kind, more=""), "f.yaml")
    assert resource.spec.selector is None


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_both_versions_are_read(version: str) -> None:
    text = HEAD.format(kind=POLICY, more="").replace("io/v1", f"io/{version}")
    assert len(read_text(text, "f.yaml")) == 1


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ("{action: CUSTOM, provider: {name: x}}", "spec.action", "CUSTOM without rules"),
        ("{action: CUSTOM, rules: [{}]}", "spec.action", "without provider.name"),
        ("{provider: {name: x}}", "spec.provider", "is for the action CUSTOM"),
        ("{action: CUSTOM, provider: {name: x}, rules: [{}, {from: [{source:"
         " {notPrincipals: [a]}}]}]}", "spec.rules[1].from[0].source.notPrincipals",
         "not supported with the action CUSTOM"),
        ("{action: CUSTOM, provider: {name: x}, rules: [{when: [{key: 'request.auth.claims[a]',"
         " values: [b]}]}]}", "spec.rules[0].when[0].key", "not supported with the action CUSTOM"),
        ("{targetRefs: [{kind: Pod, name: a}]}", "spec.targetRefs[0].kind", "Pod"),
        ("{selector: {}, targetRef: {kind: Service, name: a}}", "spec", "more than one"),
        ("{action: DENY}", "spec.action", "DENY without rules"),
        ("{rules: [{from: []}]}", "spec.rules[0].from", "an empty list"),
        ("{rules: [{to: [{operation: {}}]}]}", "spec.rules[0].to[0].operation", "is empty"),
        ("{rules: [{from: [{source: {principals: []}}]}]}", "spec.rules[0].from[0].source",
         "is empty"),
        ("{rules: [{from: [{source: {principals: ['']}}]}]}",
         "spec.rules[0].from[0].source.principals[0]", "an empty string"),
        ("{rules: [{from: [{source: {ipBlocks: [x]}}]}]}",
         "spec.rules[0].from[0].source.ipBlocks[0]", "not an address"),
        ("{rules: [{from: [{source: {serviceAccounts: [a], namespaces: [b]}}]}]}",
         "spec.rules[0].from[0].source", "serviceAccounts beside"),
        ("{rules: [{to: [{operation: {ports: ['0']}}]}]}",
         "spec.rules[0].to[0].operation.ports[0]", "not a port"),
        ("{rules: [{to: [{operation: {paths: ['/{**}/{*}']}}]}]}",
         "spec.rules[0].to[0].operation.paths[0]", "after {**}"),
        ("{rules: [{when: [{key: a.b, values: [x]}]}]}", "spec.rules[0].when[0].key",
         "not an attribute"),
        ("{rules: [{when: [{key: source.ip}]}]}", "spec.rules[0].when[0]", "neither values"),
        ("{rules: [{when: [{key: source.ip, notValues: [x]}]}]}",
         "spec.rules[0].when[0].notValues[0]", "not an address"),
        ('{rules: [{when: [{key: "experimental.envoy.filters.a", values: [x]}]}]}',
         "spec.rules[0].when[0].key", "not an attribute"),
    ],
)  # fmt: skip
def test_a_policy(spec: str, field: str, message: str) -> None:
    problem = refusal(POLICY, spec)
    assert problem.startswith(f"{field}: ")
    assert message in problem
