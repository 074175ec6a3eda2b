"""Gateways in each other's way, and claims that nobody verifies."""

from __future__ import annotations

import pytest

from tests.lint.findings import findings_of

_GATEWAY = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}}}
spec:
  selector: {{istio: {selector}}}
  servers:
  - port: {{number: {port}, name: p, protocol: HTTPS}}
    hosts: [{host}]
    tls: {{mode: SIMPLE, credentialName: {secret}}}
"""


def gateway(
    name: str,
    host: str = "a.test",
    port: int = 443,
    secret: str = "",
    selector: str = "ingressgateway",
) -> str:
    return _GATEWAY.format(
        name=name, host=host, port=port, secret=secret or name, selector=selector
    )


@pytest.mark.parametrize("host", ["a.test", '"*.test"', '"*"', "default/a.test"])
def test_one_host_at_two_gateways(host: str) -> None:
    (problem,) = findings_of(gateway("one") + gateway("two", host), "gateway-conflict")
    assert (problem.resource, problem.field) == ("Gateway default/two", "spec.servers[0].hosts[0]")
    assert "Gateway default/one" in problem.found


def test_another_host_port_gateway_or_namespace_is_no_conflict() -> None:
    first = gateway("one", "shop/a.test")
    for other in (
        gateway("two", "shop/b.test"),
        gateway("two", "shop/a.test", 444),
        gateway("two", "shop/a.test", selector="other"),
        gateway("two", "pay/a.test"),
    ):
        assert findings_of(first + other, "gateway-conflict") == []


def test_one_certificate_at_two_gateways() -> None:
    text = gateway("one", secret="shop") + gateway("two", "b.test", secret="shop")
    (problem,) = findings_of(text, "gateway-certificate-shared")
    assert problem.resource == "Gateway default/two"
    assert "gets 404" in problem.found
    assert (
        findings_of(gateway("one") + gateway("two", "b.test"), "gateway-certificate-shared") == []
    )


_RULE = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: r}
spec:
  hosts: [a.test]
  gateways: [one]
  http:
  - match: [{headers: {"@request.auth.claims.group": {exact: a}}}]
    route: [{destination: {host: svcb}}]
"""
_TOKENS = """
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: t, namespace: istio-system}
spec: {selector: {matchLabels: {istio: SELECTOR}}, jwtRules: [{issuer: a, jwksUri: "http://a.test"}]}
"""


def test_claims_need_a_verified_token() -> None:
    text = gateway("one") + _RULE
    (problem,) = findings_of(text, "claim-unverified")
    assert problem.field == "spec.http[0].match[0]"
    assert (
        findings_of(text + _TOKENS.replace("SELECTOR", "ingressgateway"), "claim-unverified") == []
    )
    (_,) = findings_of(text + _TOKENS.replace("SELECTOR", "other"), "claim-unverified")
