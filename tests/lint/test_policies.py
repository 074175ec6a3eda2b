"""Policies without effect."""

from __future__ import annotations

import pytest

from tests.lint.conftest import Lint
from tests.lint.resources import policy

SELECTOR = "{{selector: {{matchLabels: {{app: {app}}}}}}}"
KINDS = ["PeerAuthentication", "AuthorizationPolicy", "RequestAuthentication", "Telemetry"]


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
    spec = "{outboundTrafficPolicy: {}}" if kind == "Sidecar" else "{}"
    (problem,) = lint(policy(kind, spec, namespace="empty"))
    assert "no pod of namespace empty runs there" in problem.found
    assert lint(policy(kind, spec)) == []


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
    spec = "{outboundTrafficPolicy: {}}" if kind == "Sidecar" else "{}"
    (problem,) = lint(policy(kind, spec, "a") + policy(kind, spec, "b"))
    assert problem.resource == f"{kind} default/b"
    assert f"{kind} default/a" in problem.found
    assert lint(policy(kind, spec, "a") + policy(kind, spec, "b", "other")) == []


def test_more_authorization_policies_add_up(lint: Lint) -> None:
    assert (
        lint(policy("AuthorizationPolicy", "{}", "a") + policy("AuthorizationPolicy", "{}", "b"))
        == []
    )


@pytest.mark.parametrize(("port", "warned"), [("8080", False), ("80", True)])
def test_policies_name_container_ports(lint: Lint, port: str, warned: bool) -> None:
    modes = f"{{{port}: {{mode: DISABLE}}}}"
    peers = f"{{selector: {{matchLabels: {{app: svcb}}}}, portLevelMtls: {modes}}}"
    rules = f"{{rules: [{{to: [{{operation: {{ports: ['{port}']}}}}]}}]}}"
    problems = lint(policy("PeerAuthentication", peers) + policy("AuthorizationPolicy", rules))
    fields = [f"spec.portLevelMtls.{port}", "spec.rules[0].to[0].operation.ports[0]"]
    assert [p.field for p in problems] == (fields if warned else [])
    assert all(p.wanted == "one of 8080" for p in problems)
