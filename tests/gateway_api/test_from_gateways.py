"""Istio's Gateways with their VirtualServices as those of the Gateway API."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.gateway_api.from_virtual_services import Migration, migrate
from meshproof.gateway_api.listeners import convert_gateways
from meshproof.model.reader import read_text
from meshproof.model.yaml_writer import documents_to_yaml

SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: default}
spec: {selector: {app: echo}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: far, namespace: other}
spec: {selector: {app: far}, ports: [{name: http, port: 80}]}
"""
HTTP = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"
HTTPS = (
    "{port: {number: 443, name: https, protocol: HTTPS}, "
    "tls: {mode: SIMPLE, credentialName: shop%s}, hosts: [a.test, ./b.test, far/c.test]}"
)
RULE = "{hosts: [a.test], gateways: [front], http: [{route: [{destination: {host: echo}}]}]}"


def _migrate(servers: str, rule: str = RULE, more: str = "") -> Migration:
    spec = f"{{selector: {{istio: ingressgateway}}, servers: [{servers}]}}"
    return migrate(
        read_text(
            f"{SERVICES}---\napiVersion: networking.istio.io/v1\nkind: Gateway\n"
            f"metadata: {{name: front, namespace: default}}\nspec: {spec}\n---\n"
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
            f"metadata: {{name: r, namespace: default}}\nspec: {rule}\n{more}",
            "rules.yaml",
        )
    )


def _reason(*arguments: str) -> str:
    migration = _migrate(*arguments)
    assert migration.documents == []
    ((_, reasons),) = migration.kept
    return "; ".join(reasons)


def test_a_rule_comes_with_its_gateway() -> None:
    migration = _migrate(f"{HTTP}, {HTTPS % ''}")
    gateway, route = migration.documents
    assert gateway["spec"]["gatewayClassName"] == "istio"
    everyone = {"namespaces": {"from": "All"}}
    certificate = {"mode": "Terminate", "certificateRefs": [{"name": "shop"}]}
    secure: dict[str, Any] = {"port": 443, "protocol": "HTTPS", "tls": certificate}
    far = {"matchLabels": {"kubernetes.io/metadata.name": "far"}}
    assert gateway["spec"]["listeners"] == [
        {"name": "http-80", "port": 80, "protocol": "HTTP", "allowedRoutes": everyone},
        {"name": "https-443", **secure, "hostname": "a.test", "allowedRoutes": everyone},
        {
            **{"name": "https-443-1", **secure, "hostname": "b.test"},
            "allowedRoutes": {"namespaces": {"from": "Same"}},
        },
        {
            **{"name": "https-443-2", **secure, "hostname": "c.test"},
            "allowedRoutes": {"namespaces": {"from": "Selector", "selector": far}},
        },
    ]
    assert route["spec"]["parentRefs"] == [{"kind": "Gateway", "name": "front"}]
    assert route["spec"]["hostnames"] == ["a.test"]
    assert migration.changes == [
        "Gateway default/front: it has an Envoy and an address of its own now, instead of those "
        "of istio: ingressgateway",
        "Gateway default/front: Secret shop is read from default now",
    ]


def test_what_is_written_is_taken_and_listens_for_the_same() -> None:
    https = HTTPS % ""
    text = documents_to_yaml(_migrate(f"{HTTP}, {https}").documents)
    secret = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: shop, namespace: default}\n"
        "stringData: {tls.crt: chain, tls.key: key}\n"
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: far}\n"
    )
    resources = read_text(f"{SERVICES}---\n{secret}---\n{text}", "new.yaml")
    servers = [s for g in convert_gateways(resources) for s in g.spec.servers]
    assert sorted((s.port.number, s.port.protocol, *s.hosts) for s in servers) == [
        (80, "HTTP", "*/*"),
        (443, "HTTPS", "*/a.test"),
        (443, "HTTPS", "default/b.test"),
        (443, "HTTPS", "far/c.test"),
    ]


@pytest.mark.parametrize(
    ("servers", "reason"),
    [
        (HTTP.replace("['*']", "['*'], tls: {httpsRedirect: true}"), "servers[0].tls redirects"),
        (HTTPS % ", minProtocolVersion: TLSV1_3", "tls.minProtocolVersion is not said"),
        (
            "{port: {number: 443, name: t, protocol: TLS}, hosts: [a.test], "
            "tls: {mode: PASSTHROUGH}}",
            "servers[0] is neither HTTP nor HTTPS that ends here",
        ),
    ],
)
def test_a_server_that_a_listener_cannot_say(servers: str, reason: str) -> None:
    assert reason in _reason(servers)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (RULE.replace("[front]", "[front, mesh]"), "for sidecars and for Gateways"),
        (RULE.replace("[front]", "[other/back]"), "gateway other/back is not in these files"),
        (RULE.replace("[a.test]", "[a]"), "a short name"),
        (RULE.replace("host: echo", "host: far.other.svc.cluster.local"), "a ReferenceGrant"),
    ],
)
def test_a_rule_that_no_route_at_a_gateway_can_say(rule: str, reason: str) -> None:
    assert reason in _reason(HTTP, rule)


def test_any_host_has_no_hostname() -> None:
    _, route = _migrate(HTTP, RULE.replace("[a.test]", "['*']")).documents
    assert "hostnames" not in route["spec"]
