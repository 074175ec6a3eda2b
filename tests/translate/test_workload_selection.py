"""Workload selection: policies with a targetRef select no workload."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.telemetry import EVERYTHING, select_reporting
from meshproof.translate.workload_selection import GATEWAY_NAME, select_policies
from tests.translate.builders import labelled, world
from tests.translate.policy_builders import ROOT, rule

ATTACHED = "targetRefs: [{kind: Service, name: echo}]"


def _for_echo(*rules: Any) -> list[str]:
    return [r.name for r in select_policies(rules, "default", {"app": "echo"})]


def _policy(spec: str, name: str, namespace: str = "default") -> Any:
    return rule("AuthorizationPolicy", spec, name, namespace)


def test_those_of_the_namespace_and_the_root_whose_selector_fits() -> None:
    picks = "{selector: {matchLabels: {app: echo}}}"
    others = "{selector: {matchLabels: {app: other}}}"
    rules = (
        _policy("{}", "all"),
        _policy(picks, "picks"),
        _policy(others, "others"),
        _policy(picks, "root", ROOT),
        _policy("{}", "elsewhere", "elsewhere"),
    )
    assert _for_echo(*rules) == ["all", "picks", "root"]


@pytest.mark.parametrize("field", [ATTACHED, "targetRef: {kind: Service, name: echo}"])
def test_what_is_attached_to_something_else_is_for_no_workload(field: str) -> None:
    assert _for_echo(_policy(f"{{{field}}}", "p")) == []


def test_an_attached_telemetry_says_nothing() -> None:
    spec = f"{{{ATTACHED}, accessLogging: [{{disabled: true}}]}}"
    mesh = world(telemetries=(rule("Telemetry", spec),))
    assert select_reporting(mesh, labelled({}), "CLIENT") == EVERYTHING


def test_a_policy_with_a_target_is_for_the_gateway_of_that_name() -> None:
    target = "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: door}]}"
    rules = (_policy(target, "p", "shop"),)
    labels = {GATEWAY_NAME: "door"}
    assert list(select_policies(rules, "shop", labels)) == list(rules)
    for namespace, other in (("shop", {GATEWAY_NAME: "gate"}), ("shop", {}), ("pay", labels)):
        assert list(select_policies(rules, namespace, other)) == []
