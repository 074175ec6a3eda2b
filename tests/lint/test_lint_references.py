"""What names something that nobody declares: hosts, ports, subsets, gateways, pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meshproof.errors import Problem

if TYPE_CHECKING:
    from tests.lint.conftest import Lint

RULE = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: one}}
spec: {{hosts: [svcb], http: [{http}]}}
"""
POLICY = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: svcb}}
spec: {{host: {host}, subsets: [{{name: v1, labels: {labels}}}]}}
"""
ENTRY = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: msgd}
spec:
  hosts: [msgd.test]
  ports: [{number: 9997, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.9, labels: {version: v1}}]
"""
GATEWAY = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: other}
spec: {servers: [{port: {number: 80, protocol: HTTP}, hosts: ["*"]}]}
"""


def to(destination: str) -> str:
    return RULE.format(http=f"{{route: [{{destination: {{{destination}}}}}]}}")


def only(found: list[Problem], field: str, *words: str) -> None:
    """Exactly one warning, at this field, on the line where it stands, with these words."""
    (problem,) = found
    assert problem.field == field
    assert problem.line > 1
    for word in words:
        assert word in str(problem)


@pytest.mark.parametrize(
    "host", ["svcb", "svcb.default.svc.cluster.local", "far.other.svc.cluster.local"]
)
def test_known_host(lint: Lint, host: str) -> None:
    assert lint(to(f"host: {host}")) == []


@pytest.mark.parametrize("host", ["svcx", "far", "svcb.default", "msgd.test"])
def test_unknown_host(lint: Lint, host: str) -> None:
    only(lint(to(f"host: {host}")), "spec.http[0].route[0].destination.host", "503 (flag NC)")


def test_half_a_name_is_completed_in_the_remedy(lint: Lint) -> None:
    (problem,) = lint(to("host: svcb.default"))
    assert problem.remedy == "write svcb.default.svc.cluster.local"


def test_host_of_a_service_entry(lint: Lint) -> None:
    assert lint(to("host: msgd.test, port: {number: 9997}") + ENTRY) == []


def test_unknown_port(lint: Lint) -> None:
    field = "spec.http[0].route[0].destination.port.number"
    only(lint(to("host: svcb, port: {number: 81}")), field, "81", "one of 80")


def test_unknown_mirror_is_dropped(lint: Lint) -> None:
    http = "{route: [{destination: {host: svcb}}], mirror: {host: svcx}}"
    only(lint(RULE.format(http=http)), "spec.http[0].mirror.host", "drops the mirrored")


def test_undeclared_subset(lint: Lint) -> None:
    text = to("host: svcb, subset: v9") + POLICY.format(host="svcb", labels="{version: v1}")
    only(lint(text), "spec.http[0].route[0].destination.subset", "503 (flag NC)", "one of v1")


@pytest.mark.parametrize("host", ["svcb", "'*.default.svc.cluster.local'"])
def test_declared_subset(lint: Lint, host: str) -> None:
    policy = POLICY.format(host=host, labels="{version: v1}")
    assert lint(to("host: svcb, subset: v1") + policy) == []


@pytest.mark.parametrize("labels", ["{version: v3}", "{version: v4}", "{app: svca}"])
def test_subset_without_a_pod_of_the_service(lint: Lint, labels: str) -> None:
    """v3 runs in another namespace, v4 behind another service."""
    found = lint(POLICY.format(host="svcb", labels=labels))
    only(found, "spec.subsets[0].labels", "flag UH")


def test_subset_without_an_endpoint(lint: Lint) -> None:
    field = "spec.subsets[0].labels"
    only(lint(ENTRY + POLICY.format(host="msgd.test", labels="{version: v2}")), field, "flag NC")
    assert lint(ENTRY + POLICY.format(host="msgd.test", labels="{version: v1}")) == []


@pytest.mark.parametrize("host", ["svcx", "msgd.test", "'*.test'"])
def test_destination_rule_for_nothing(lint: Lint, host: str) -> None:
    policy = POLICY.format(host=host, labels="{version: v1}")
    only(lint(policy), "spec.host", "applies the rule to nothing")
    assert (lint(policy + ENTRY) == []) is (host != "svcx")


@pytest.mark.parametrize("gateways", ["[other/gw]", "[gw.other.svc.cluster.local]", "[mesh]"])
def test_known_gateway(lint: Lint, gateways: str) -> None:
    assert lint(to("host: svcb").replace("hosts:", f"gateways: {gateways}, hosts:") + GATEWAY) == []


@pytest.mark.parametrize("gateways", ["[gw]", "[mesh, ./gw]", "[other/wg]"])
def test_unknown_gateway(lint: Lint, gateways: str) -> None:
    text = to("host: svcb").replace("hosts:", f"gateways: {gateways}, hosts:") + GATEWAY
    field = f"spec.gateways[{1 if 'mesh' in gateways else 0}]"
    only(lint(text), field, "on no gateway", "one of other/gw")


def test_unknown_gateway_of_a_match(lint: Lint) -> None:
    http = "{match: [{gateways: [gw]}], route: [{destination: {host: svcb}}]}"
    only(lint(RULE.format(http=http)), "spec.http[0].match[0].gateways[0]", "default/gw")


@pytest.mark.parametrize(
    ("host", "words"), [("svcx", "port 80 only"), ("'*.test'", "applies the rule to no service")]
)
def test_rule_for_an_unknown_host(lint: Lint, host: str, words: str) -> None:
    text = to("host: svcb").replace("[svcb]", f"[{host}]")
    only(lint(text), "spec.hosts[0]", words)


def test_any_host_will_do_on_a_gateway(lint: Lint) -> None:
    text = to("host: svcb").replace("hosts: [svcb]", "gateways: [other/gw], hosts: [shop.test]")
    assert lint(text + GATEWAY) == []


def test_warnings_on_0_4_rules_point_at_what_was_written(lint: Lint) -> None:
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
