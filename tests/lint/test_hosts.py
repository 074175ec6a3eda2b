"""Hosts, ports and subsets that nobody declares."""

from __future__ import annotations

import pytest

from tests.lint.conftest import Lint
from tests.lint.problems import check_only
from tests.lint.resources import ENTRY, GATEWAY, route_to, subset_v1, virtual_service


@pytest.mark.parametrize(
    "host", ["svcb", "svcb.default.svc.cluster.local", "far.other.svc.cluster.local"]
)
def test_known_host(lint: Lint, host: str) -> None:
    assert lint(route_to(f"host: {host}")) == []


@pytest.mark.parametrize("host", ["svcx", "far", "svcb.default", "msgd.test"])
def test_unknown_host(lint: Lint, host: str) -> None:
    check_only(
        lint(route_to(f"host: {host}")), "spec.http[0].route[0].destination.host", "503 (flag NC)"
    )


def test_half_a_name_is_completed_in_the_remedy(lint: Lint) -> None:
    (problem,) = lint(route_to("host: svcb.default"))
    assert problem.remedy == "write svcb.default.svc.cluster.local"


def test_host_of_a_service_entry(lint: Lint) -> None:
    assert lint(route_to("host: msgd.test, port: {number: 9997}") + ENTRY) == []


def test_unknown_port(lint: Lint) -> None:
    field = "spec.http[0].route[0].destination.port.number"
    check_only(lint(route_to("host: svcb, port: {number: 81}")), field, "81", "one of 80")


def test_unknown_mirror_is_dropped(lint: Lint) -> None:
    http = "{route: [{destination: {host: svcb}}], mirror: {host: svcx}}"
    check_only(lint(virtual_service(http)), "spec.http[0].mirror.host", "drops the mirrored")


def test_undeclared_subset(lint: Lint) -> None:
    text = route_to("host: svcb, subset: v9") + subset_v1(host="svcb", labels="{version: v1}")
    check_only(lint(text), "spec.http[0].route[0].destination.subset", "503 (flag NC)", "one of v1")


@pytest.mark.parametrize("host", ["svcb", "'*.default.svc.cluster.local'"])
def test_declared_subset(lint: Lint, host: str) -> None:
    policy = subset_v1(host=host, labels="{version: v1}")
    assert lint(route_to("host: svcb, subset: v1") + policy) == []


@pytest.mark.parametrize(
    ("host", "message"), [("svcx", "port 80 only"), ("'*.test'", "applies the rule to no service")]
)
def test_rule_for_an_unknown_host(lint: Lint, host: str, message: str) -> None:
    text = route_to("host: svcb").replace("[svcb]", f"[{host}]")
    check_only(lint(text), "spec.hosts[0]", message)


def test_any_host_will_do_on_a_gateway(lint: Lint) -> None:
    text = route_to("host: svcb").replace(
        "hosts: [svcb]", "gateways: [other/gw], hosts: [shop.test]"
    )
    assert lint(text + GATEWAY) == []


def test_warnings_on_0_4_rules_point_at_the_original_field(lint: Lint) -> None:
    text = """
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: old}
spec:
  destination: {name: svcb}
  route:
  - labels: {version: v9}
"""
    (problem,) = lint(text)
    assert (problem.resource, problem.field) == ("RouteRule default/old", "spec.route[0].labels")
    assert problem.line == 8
