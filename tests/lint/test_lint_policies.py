"""Policies that reach nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.model.envoy_filters import BARE, FILTER, HEAD, ROUTES

if TYPE_CHECKING:
    from tests.lint.conftest import Lint

POLICY = """
---
apiVersion: {api}.istio.io/v1
kind: {kind}
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"""
SELECTOR = "{{selector: {{matchLabels: {{app: {app}}}}}}}"
KINDS = ["PeerAuthentication", "AuthorizationPolicy", "RequestAuthentication", "Telemetry"]


def policy(kind: str, spec: str, name: str = "p", namespace: str = "default") -> str:
    api = {"Telemetry": "telemetry", "Sidecar": "networking"}.get(kind, "security")
    return POLICY.format(api=api, kind=kind, name=name, namespace=namespace, spec=spec)


@pytest.mark.parametrize("kind", KINDS)
def test_a_selector_without_a_pod(lint: Lint, kind: str) -> None:
    assert lint(policy(kind, SELECTOR.format(app="svcb"))) == []
    (problem,) = lint(policy(kind, SELECTOR.format(app="svcx")))
    assert problem.field == "spec.selector"
    assert "no pod of namespace default carries app=svcx" in problem.found
    assert problem.line == 6


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_policy_that_is_attached_to_something_else(lint: Lint, kind: str) -> None:
    (problem,) = lint(policy(kind, "{targetRefs: [{kind: Service, name: svcb}]}"))
    assert problem.field == "spec.targetRefs"
    assert "sidecars ignore it" in problem.found


def test_a_sidecar_s_selector(lint: Lint) -> None:
    spec = "{workloadSelector: {labels: {app: svcx}}, egress: [{hosts: ['./*']}]}"
    (problem,) = lint(policy("Sidecar", spec))
    assert problem.field == "spec.workloadSelector"
    assert lint(policy("Sidecar", spec.replace("svcx", "svca"))) == []


@pytest.mark.parametrize("kind", [*KINDS, "Sidecar"])
def test_a_namespace_without_pods(lint: Lint, kind: str) -> None:
    (problem,) = lint(policy(kind, "{}", namespace="empty"))
    assert "no pod of namespace empty runs there" in problem.found
    assert lint(policy(kind, "{}")) == []


def test_the_mesh_s_own_gateway_is_a_workload(lint: Lint) -> None:
    spec = "{selector: {matchLabels: {istio: ingressgateway}}}"
    assert lint(policy("AuthorizationPolicy", spec, namespace="istio-system")) == []
    (problem,) = lint(policy("AuthorizationPolicy", spec))
    assert "carries istio=ingressgateway" in problem.found


def test_a_policy_of_the_root_namespace_is_for_all(lint: Lint) -> None:
    spec = SELECTOR.format(app="svcb")
    assert lint(policy("AuthorizationPolicy", spec, namespace="istio-system")) == []
    (problem,) = lint(policy("PeerAuthentication", spec, namespace="istio-system"))
    assert "does nothing" in problem.found


@pytest.mark.parametrize("kind", ["PeerAuthentication", "Telemetry", "Sidecar"])
def test_the_second_of_a_scope(lint: Lint, kind: str) -> None:
    (problem,) = lint(policy(kind, "{}", "a") + policy(kind, "{}", "b"))
    assert problem.resource == f"{kind} default/b"
    assert f"{kind} default/a" in problem.found
    assert lint(policy(kind, "{}", "a") + policy(kind, "{}", "b", "other")) == []


def test_more_authorization_policies_add_up(lint: Lint) -> None:
    assert (
        lint(policy("AuthorizationPolicy", "{}", "a") + policy("AuthorizationPolicy", "{}", "b"))
        == []
    )


@pytest.mark.parametrize(("port", "said"), [("8080", False), ("80", True)])
def test_policies_name_container_ports(lint: Lint, port: str, said: bool) -> None:
    modes = f"{{{port}: {{mode: DISABLE}}}}"
    peers = f"{{selector: {{matchLabels: {{app: svcb}}}}, portLevelMtls: {modes}}}"
    rules = f"{{rules: [{{to: [{{operation: {{ports: ['{port}']}}}}]}}]}}"
    found = lint(policy("PeerAuthentication", peers) + policy("AuthorizationPolicy", rules))
    fields = [f"spec.portLevelMtls.{port}", "spec.rules[0].to[0].operation.ports[0]"]
    assert [p.field for p in found] == (fields if said else [])
    assert all(p.wanted == "one of 8080" for p in found)


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


def test_a_rate_limit_s_selector_and_ports(lint: Lint) -> None:
    limit = HEAD.replace("productpage", "svcb") + BARE + ROUTES
    (problem,) = lint(limit)
    assert problem.field == "spec.configPatches[1].match.routeConfiguration.vhost.name"
    assert "inbound|http|9080, and no Service of the selected workloads" in problem.found
    assert problem.wanted == "one of inbound|http|80"
    assert lint(limit.replace("9080", "80")) == []
    (problem,) = lint(HEAD.replace("productpage", "svcx") + FILTER)
    assert problem.field == "spec.workloadSelector"
