"""Requests to the ingress gateway: its hosts, ports, TLS and identity."""

from __future__ import annotations

import pytest

from tests.explain.mesh_files import (
    explain_request,
    notes,
    only_outcome,
)

GATE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gate, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers:
    - {port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.test]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: [shop.test]
  gateways: [gate]
  http:
    - match: [{uri: {prefix: /a}}]
      route: [{destination: {host: echo, port: {number: 80}}}]
"""


def test_the_gateway_has_hosts_ports_and_an_identity_of_its_own() -> None:
    explanation = explain_request(GATE, "http://shop.test/a", "gateway")
    assert explanation.answered == pytest.approx(1)
    assert any("sa/istio-ingressgateway-service-account" in n for n in notes(explanation.steps))
    outcome = only_outcome(explain_request(GATE, "http://shop.test/b", "gateway"))
    assert (outcome.status, outcome.why) == (404, "no route of host shop.test:80 takes the request")
    assert only_outcome(explain_request(GATE, "http://other.test/a", "gateway")).status == 404


SECURE = """
apiVersion: v1
kind: Secret
metadata: {name: shop-cert, namespace: istio-system}
stringData: {tls.crt: CERT, tls.key: KEY}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gate, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers:
    - port: {number: 80, name: http, protocol: HTTP}
      hosts: [shop.test]
      tls: {httpsRedirect: true}
    - port: {number: 443, name: https, protocol: HTTPS}
      hosts: [shop.test]
      tls: {mode: SIMPLE, credentialName: shop-cert}
---
"""


def test_the_gateway_s_own_tls() -> None:
    rules = SECURE + GATE[GATE.index("apiVersion", 10) :]
    assert explain_request(rules, "https://shop.test/a", "gateway").answered == pytest.approx(1)
    assert only_outcome(explain_request(rules, "https://shop.test/b", "gateway")).status == 404
    outcome = only_outcome(explain_request(rules, "http://shop.test/a?q", "gateway"))
    assert (outcome.status, outcome.location) == (301, "https://shop.test/a?q")
    outcome = only_outcome(explain_request(rules, "https://other.test/", "gateway"))
    assert (outcome.kind, outcome.why) == (
        "closed",
        "the gateway has no certificate for other.test",
    )
