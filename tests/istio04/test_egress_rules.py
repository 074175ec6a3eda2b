"""EgressRules: domains and addresses open, the rest is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meshproof.errors import Refused
from meshproof.istio04.lower import lower
from meshproof.istio04.warnings import find_istio04_warnings
from meshproof.translate.world import Service

if TYPE_CHECKING:
    from tests.istio04.conftest import Read

RULE = """
---
apiVersion: config.istio.io/v1alpha2
kind: EgressRule
metadata: {name: NAME}
spec:
  destination: {service: "SERVICE"}
  ports: [{port: 80, protocol: http}, {port: 9000, protocol: tcp}]
"""


def egress(service: str, name: str = "out") -> str:
    return RULE.replace("NAME", name).replace("SERVICE", service)


def test_domain_is_resolved_by_dns(read: Read, services: list[Service]) -> None:
    (entry,) = lower(read(egress("msgd.test")), services)
    assert (entry.spec.hosts, entry.spec.addresses) == (["msgd.test"], [])
    assert (entry.spec.resolution, entry.spec.endpoints) == ("DNS", [])
    assert [(p.name, p.number, p.protocol) for p in entry.spec.ports] == [
        ("http-80", 80, "HTTP"),
        ("tcp-9000", 9000, "TCP"),
    ]


def test_a_range_of_one_is_an_address(read: Read, services: list[Service]) -> None:
    (entry,) = lower(read(egress("10.0.0.9/32")), services)
    assert entry.spec.addresses == ["10.0.0.9"]


def test_made_up_host_takes_no_services_name(read: Read, services: list[Service]) -> None:
    with_out = [*services, Service("out", "default", {}, ())]
    (entry,) = lower(read(egress("10.0.0.9")), with_out)
    assert entry.spec.hosts == ["out-v1alpha2.default.svc.cluster.local"]


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (egress("*.msgd.test"), "spec.destination.service", "which a TCP connection"),
        (
            egress("*").replace(", {port: 9000, protocol: tcp}", ""),
            "spec.destination.service",
            "every host",
        ),
        (egress("10.0.0.0/8"), "spec.destination.service", "range"),
        (egress("a.test").replace("9000", "80"), "spec.ports[1].port", "twice"),
    ],
)
def test_refused_by_name(
    read: Read, services: list[Service], text: str, field: str, message: str
) -> None:
    with pytest.raises(Refused) as caught:
        lower(read(text), services)
    (problem,) = caught.value.problems
    assert problem.field == field
    assert message in problem.found
    assert problem.line in (7, 8)


WEB = ", {port: 9000, protocol: tcp}"


@pytest.mark.parametrize("service", ["*.msgd.test", "*msgd.test", "*-api.msgd.test"])
def test_a_wildcard(read: Read, services: list[Service], service: str) -> None:
    (entry,) = lower(read(egress(service).replace(WEB, "")), services)
    assert (entry.spec.hosts, entry.spec.resolution) == ([service], "NONE")


def test_a_range_for_http(read: Read, services: list[Service]) -> None:
    (entry,) = lower(read(egress("10.1.0.0/16").replace(WEB, "")), services)
    assert (entry.spec.addresses, entry.spec.resolution) == (["10.1.0.0/16"], "NONE")
    assert entry.spec.endpoints == []


def test_no_egress_proxy(read: Read, services: list[Service]) -> None:
    (entry,) = lower(read(egress("a.test") + "  use_egress_proxy: false\n"), services)
    assert entry.spec.hosts == ["a.test"]
    with pytest.raises(Refused, match=r"use_egress_proxy: is true, which Istio 0\.4 refused too"):
        read(egress("a.test") + "  use_egress_proxy: true\n")


def test_https_is_plain_http_to_the_sidecar_and_tls_from_it(
    read: Read, services: list[Service]
) -> None:
    text = egress("a.test").replace("9000, protocol: tcp", "443, protocol: https")
    entry, rule = lower(read(text), services)
    assert [(p.name, p.number, p.protocol) for p in entry.spec.ports] == [
        ("http-80", 80, "HTTP"),
        ("http-443", 443, "HTTP"),
    ]
    assert (rule.kind, rule.spec.host, rule.namespace) == ("DestinationRule", "a.test", "default")
    policy = rule.spec.traffic_policy
    (settings,) = policy.port_level_settings
    assert settings.port.number == 443
    assert (settings.tls.mode, settings.tls.insecure_skip_verify) == ("SIMPLE", True)
    assert settings.load_balancer.simple == "ROUND_ROBIN", "a port's settings inherit nothing"
    assert policy.tls is None
    assert rule.problem(("spec", "trafficPolicy", "portLevelSettings", 0), "x").field == (
        "spec.ports[1]"
    )


def test_https_beside_a_policy_and_a_rule_for_the_same_host(
    read: Read, services: list[Service]
) -> None:
    text = (
        egress("a.test").replace("9000, protocol: tcp", "443, protocol: https")
        + """
---
apiVersion: config.istio.io/v1alpha2
kind: DestinationPolicy
metadata: {name: policy}
spec: {destination: {service: a.test}, loadBalancing: {name: RANDOM}}
"""
    )
    (rule,) = [r for r in lower(read(text), services) if r.kind == "DestinationRule"]
    (settings,) = rule.spec.traffic_policy.port_level_settings
    assert settings.load_balancer.simple == "RANDOM"
    assert settings.tls.mode == "SIMPLE"


def test_of_two_rules_for_one_domain_the_smaller_name_is_honoured(
    read: Read, services: list[Service]
) -> None:
    rules = read(egress("msgd.test", "b") + egress("MSGD.test", "a"))
    (entry,) = lower(rules, services)
    assert entry.name == "a"
    (warning,) = find_istio04_warnings(rules, services)
    assert warning.resource == "EgressRule default/b"
    assert "EgressRule default/a" in warning.found
