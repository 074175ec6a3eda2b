"""Policies and Telemetry that Istio's webhook and CRD refuse, and what they take."""

from __future__ import annotations

import pytest

from tests.model.validation.judge import check, judge

AUTHZ, AUTHN, PEER = "AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication"


def source(fields: str) -> str:
    return f"{{rules: [{{from: [{{source: {{{fields}}}}}]}}]}}"


def operation(fields: str) -> str:
    return f"{{rules: [{{to: [{{operation: {{{fields}}}}}]}}]}}"


def when(key: str, value: str = "a") -> str:
    return f"{{rules: [{{when: [{{key: '{key}', values: ['{value}']}}]}}]}}"


CUSTOM = "action: CUSTOM, provider: {name: x}, rules: [{from: [{source: {FIELDS}}]}]"


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ("{selector: {matchLabels: {'': a}}}", "selector.matchLabels.", "empty key"),
        ("{selector: {matchLabels: {app: a*}}}", "selector.matchLabels.app", "has a *"),
        ("{selector: {matchLabels: {a*: b}}}", "selector.matchLabels.a*", "has a *"),
        ("{selector: {matchLabels: {a: b}}, targetRef: {kind: Service, name: a}}", "targetRef",
         "beside selector"),
        ("{targetRef: {kind: Pod, name: a}}", "targetRef.kind", '"Pod"'),
        ("{targetRefs: [{kind: Service, name: a, namespace: b}]}", "targetRefs[0].namespace",
         "is set"),
        ("{action: DENY}", "action", "never acts"),
        ("{action: CUSTOM, rules: [{}]}", "action", "provider.name"),
        ("{provider: {name: x}, rules: [{}]}", "provider", "the action is ALLOW"),
        ("{" + CUSTOM.replace("FIELDS", "namespaces: [a]") + "}",
         "rules[0].from[0].source.namespaces", "CUSTOM"),
        ("{action: CUSTOM, provider: {name: x}, rules: [{when: [{key: request.auth.principal, "
         "values: [a]}]}]}", "rules[0].when[0].key", "CUSTOM"),
        (source(""), "rules[0].from[0].source", "is empty"),
        (source("principals: ['']"), "rules[0].from[0].source.principals[0]", "is empty"),
        (source("ipBlocks: [a]"), "rules[0].from[0].source.ipBlocks[0]", "not an address"),
        (source("serviceAccounts: [a/b/c]"), "rules[0].from[0].source.serviceAccounts[0]",
         "not a service account"),
        (source("serviceAccounts: ['*']"), "rules[0].from[0].source.serviceAccounts[0]",
         "not a service account"),
        (source("serviceAccounts: [a], namespaces: [b]"), "rules[0].from[0].source", "beside"),
        (operation("ports: ['80a']"), "rules[0].to[0].operation.ports[0]", "not a port"),
        (operation("paths: ['/shop/{id}']"), "rules[0].to[0].operation.paths[0]",
         "brace that is no operator"),
        (operation("paths: ['/{**}/{*}']"), "rules[0].to[0].operation.paths[0]", "goes on after"),
        (operation("paths: ['/a*/{*}']"), "rules[0].to[0].operation.paths[0]", "beside"),
        (when("request.headers"), "rules[0].when[0].key", "no name in brackets"),
        (when("request.method"), "rules[0].when[0].key", "not an attribute"),
        (when("destination.port", "x"), "rules[0].when[0].values[0]", "not a port"),
        ("{rules: [{when: [{key: source.ip}]}]}", "rules[0].when[0]", "neither values"),
    ],
)  # fmt: skip
def test_an_authorization_policy(spec: str, field: str, message: str) -> None:
    check(AUTHZ, spec, field, message)


@pytest.mark.parametrize(
    ("kind", "spec", "field", "message"),
    [
        (AUTHN, "{jwtRules: [{jwks: '{}'}]}", "jwtRules[0]", "neither issuer nor jwksUri"),
        (AUTHN, "{jwtRules: [{issuer: a, jwksUri: 'ftp://a'}]}", "jwtRules[0].jwksUri",
         "not a URL"),
        (AUTHN, "{jwtRules: [{issuer: a, jwksUri: 'https://a', jwks: b}]}", "jwtRules[0].jwks",
         "beside jwksUri"),
        (AUTHN, "{jwtRules: [{issuer: a, audiences: ['']}]}", "jwtRules[0].audiences[0]", "empty"),
        (AUTHN, "{jwtRules: [{issuer: a, outputClaimToHeaders: [{header: a/b, claim: c}]}]}",
         "jwtRules[0].outputClaimToHeaders[0].header", "not the name"),
        (AUTHN, "{jwtRules: [{issuer: a, timeout: 1us}]}", "jwtRules[0].timeout", "less than"),
        (PEER, "{portLevelMtls: {80: {mode: STRICT}}}", "portLevelMtls", "no selector"),
        (PEER, "{selector: {matchLabels: {a: b}}, portLevelMtls: {}}", "portLevelMtls", "empty"),
        (PEER, "{selector: {matchLabels: {a: b}}, portLevelMtls: {0: {}}}", "portLevelMtls[0]",
         "no port"),
        ("Telemetry", "{tracing: [{providers: [{}]}]}", "tracing[0].providers[0].name", "missing"),
        ("Telemetry", "{tracing: [{randomSamplingPercentage: 101}]}",
         "tracing[0].randomSamplingPercentage", "is 101"),
        ("Telemetry", "{tracing: [{customTags: {a: {literal: {}}}}]}",
         "tracing[0].customTags.a.literal.value", "missing"),
        ("Telemetry", "{metrics: [{overrides: [{tagOverrides: {a: {}}}]}]}",
         "metrics[0].overrides[0].tagOverrides.a", "no value"),
        ("Telemetry", "{metrics: [{reportingInterval: 0s}]}", "metrics[0].reportingInterval",
         "less than"),
        ("ProxyConfig", "{concurrency: -1}", "concurrency", "negative"),
    ],
)  # fmt: skip
def test_another_policy(kind: str, spec: str, field: str, message: str) -> None:
    check(kind, spec, field, message)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        (AUTHZ, "{}"),
        (AUTHZ, "{action: DENY, rules: [{}]}"),
        (AUTHZ, operation("paths: ['/dex/**', '/a*b', '/{*}/b', '/{**}', '*']")),
        (AUTHZ, when("experimental.envoy.filters.network.mysql_proxy[db.table]")),
        (AUTHZ, "{" + CUSTOM.replace("FIELDS", "ipBlocks: [10.0.0.0/8]") + "}"),
        (AUTHN, "{jwtRules: [{jwksUri: 'https://a.test/keys'}]}"),
        (PEER, "{selector: {matchLabels: {a: b}}, portLevelMtls: {80: {mode: STRICT}}}"),
        ("Telemetry", "{tracing: [{customTags: {a: {}}}]}"),
        ("Telemetry", "{metrics: [{overrides: [{tagOverrides: {a: {operation: REMOVE}}}]}]}"),
    ],
)
def test_what_istio_takes(kind: str, spec: str) -> None:
    assert judge(kind, spec) == []


@pytest.mark.parametrize(
    ("kind", "spec", "field", "message"),
    [
        (AUTHZ, "{selector: {}}", "selector", "every workload"),
        (AUTHZ, "{action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}", "rules[0]",
         "TCP ports too"),
        ("Telemetry", "{tracing: [{providers: [{name: a}, {name: b}]}]}", "tracing[0].providers",
         "uses the first"),
    ],
)  # fmt: skip
def test_what_istio_warns_of(kind: str, spec: str, field: str, message: str) -> None:
    assert judge(kind, spec) == []
    check(kind, spec, field, message, warnings=True)


@pytest.mark.parametrize(
    ("kind", "spec", "value", "message"),
    [
        (AUTHZ, "{rules: [{}]}", "yes", '"yes"'),
        (AUTHZ, "{action: AUDIT, rules: [{}]}", "true", "AUDIT"),
        (PEER, "{}", "true", "AuthorizationPolicies alone"),
    ],
)
def test_a_dry_run(kind: str, spec: str, value: str, message: str) -> None:
    more = f", annotations: {{istio.io/dry-run: '{value}'}}"
    (problem,) = judge(kind, spec, more=more)
    assert problem.startswith("metadata.annotations.istio.io/dry-run: ")
    assert message in problem
