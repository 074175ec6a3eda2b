"""Sidecars that Istio's webhook and CRD refuse, and what they take."""

from __future__ import annotations

import pytest

from tests.model.validation.judge import check, judge

KIND = "Sidecar"


def ingress(fields: str) -> str:
    port = "port: {number: 9080, protocol: HTTP, name: http}"
    return f"{{ingress: [{{{port}, {fields}}}]}}"


def egress(fields: str) -> str:
    return f"{{egress: [{{{fields}}}]}}"


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ("{workloadSelector: {labels: {app: a}}}", "spec", "is empty"),
        ("{inboundConnectionPool: {}}", "inboundConnectionPool", "is empty"),
        (egress("hosts: [shop/cart]"), "egress[0].hosts[0]", "short name"),
        (egress('hosts: ["shop/*a.test"]'), "egress[0].hosts[0]", "part of a label"),
        (egress("hosts: [a.test]"), "egress[0].hosts[0]", "no namespace"),
        (egress('hosts: ["a.b/*"]'), "egress[0].hosts[0]", "not a namespace"),
        (egress('port: {number: 0, protocol: HTTP}, hosts: ["./*"]'), "egress[0].port.number",
         "0 or missing"),
        (egress('port: {number: 80, protocol: HTP}, hosts: ["./*"]'), "egress[0].port.protocol",
         "not a protocol"),
        (egress('port: {number: 80}, bind: here, hosts: ["./*"]'), "egress[0].bind", "not an IP"),
        ('{egress: [{hosts: ["./*"]}, {hosts: ["a/*"]}]}', "egress[0]", "not the last"),
        ('{egress: [{port: {number: 80}, hosts: ["./*"]}, {port: {number: 80}, hosts: ["a/*"]}]}',
         "egress[1].port", "has a listener already"),
        (ingress("defaultEndpoint: '10.1.1.1:80'"), "ingress[0].defaultEndpoint", "of this pod"),
        (ingress("defaultEndpoint: '127.0.0.1:a'"), "ingress[0].defaultEndpoint", "of this pod"),
        (ingress("connectionPool: {}"), "ingress[0].connectionPool", "is empty"),
        (ingress("tls: {mode: PASSTHROUGH}"), "ingress[0].tls", "has no TLS"),
        ("{outboundTrafficPolicy: {egressProxy: {host: a.test, port: {number: 80}}}}",
         "outboundTrafficPolicy.egressProxy", "ALLOW_ANY"),
        ("{outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: a.test}}}",
         "outboundTrafficPolicy.egressProxy.port", "missing"),
    ],
)  # fmt: skip
def test_a_sidecar(spec: str, field: str, message: str) -> None:
    check(KIND, spec, field, message)


@pytest.mark.parametrize(
    "spec",
    [
        egress('hosts: ["./*", "~/*", "*/a.shop.test", "shop/*.shop.test"]'),
        egress('port: {protocol: HTTP}, bind: "unix:///a", hosts: ["./*"]'),
        ingress("defaultEndpoint: '127.0.0.1:80'"),
        ingress("defaultEndpoint: ':80'"),
        ingress("defaultEndpoint: '[::1]:80'"),
        ingress("defaultEndpoint: 'unix:///a'"),
        "{outboundTrafficPolicy: {}}",
    ],
)
def test_what_istio_takes(spec: str) -> None:
    assert judge(KIND, spec) == []


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        (
            "{workloadSelector: {labels: {}}, outboundTrafficPolicy: {}}",
            "workloadSelector",
            "every workload",
        ),
        (egress('hosts: ["a/*", a/b.test]'), "egress[0].hosts[1]", "covered"),
        (egress('hosts: ["*/*", a/b.test]'), "egress[0].hosts", "covers all"),
    ],
)
def test_what_istio_warns_of(spec: str, field: str, message: str) -> None:
    assert judge(KIND, spec) == []
    check(KIND, spec, field, message, warnings=True)
