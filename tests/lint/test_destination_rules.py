"""DestinationRules without effect."""

from __future__ import annotations

import pytest

from tests.lint.conftest import Lint
from tests.lint.findings import findings_of
from tests.lint.problems import check_only
from tests.lint.resources import ENTRY, subset_v1


@pytest.mark.parametrize("labels", ["{version: v3}", "{version: v4}", "{app: svca}"])
def test_subset_without_a_pod_of_the_service(lint: Lint, labels: str) -> None:
    """v3 runs in another namespace, v4 behind another service."""
    problems = lint(subset_v1(host="svcb", labels=labels))
    check_only(problems, "spec.subsets[0].labels", "flag UH")


def test_subset_without_an_endpoint(lint: Lint) -> None:
    field = "spec.subsets[0].labels"
    check_only(lint(ENTRY + subset_v1(host="msgd.test", labels="{version: v2}")), field, "flag NC")
    assert lint(ENTRY + subset_v1(host="msgd.test", labels="{version: v1}")) == []


@pytest.mark.parametrize("host", ["svcx", "msgd.test", "'*.test'"])
def test_destination_rule_for_nothing(lint: Lint, host: str) -> None:
    policy = subset_v1(host=host, labels="{version: v1}")
    check_only(lint(policy), "spec.host", "applies the rule to nothing")
    assert (lint(policy + ENTRY) == []) is (host != "svcx")


def test_a_selected_entry_may_have_any_subset(lint: Lint) -> None:
    assert (
        lint(
            "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e}\n"
            "spec: {hosts: [e.test], resolution: STATIC, ports: [{number: 80, name: http, "
            "protocol: HTTP}], workloadSelector: {labels: {app: svcb}}}\n---\n"
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: e}\n"
            "spec: {host: e.test, subsets: [{name: v1, labels: {version: v1}}]}\n"
        )
        == []
    )


RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: d, namespace: {namespace}}}
spec: {{host: {host}, trafficPolicy: {{loadBalancer: {{simple: RANDOM}}}}}}
"""
SVCB = "svcb.default.svc.cluster.local"


def test_a_destination_rule_where_nobody_looks() -> None:
    (problem,) = findings_of(
        RULE.format(namespace="empty", host=SVCB), "destinationrule-out-of-sight"
    )
    assert problem.field == "spec.host"
    assert problem.remedy == "put it into namespace default"


@pytest.mark.parametrize(
    ("namespace", "host"),
    [("default", "svcb"), ("other", SVCB), ("istio-system", SVCB), ("empty", "msgd.test")],
)
def test_a_destination_rule_where_somebody_looks(namespace: str, host: str) -> None:
    assert (
        findings_of(RULE.format(namespace=namespace, host=host), "destinationrule-out-of-sight")
        == []
    )
