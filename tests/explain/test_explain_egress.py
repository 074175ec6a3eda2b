"""Requests that leave through an egress gateway: both Envoys, and what is in the way."""

from __future__ import annotations

import pytest

from meshproof.explain.result import OUTSIDE, TUNNEL
from tests.explain.mesh_files import explain_request, only_outcome

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: shop}
spec:
  hosts: [bank.test]
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]
  resolution: DNS
---
"""
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: out, namespace: shop}
spec:
  selector: {istio: %s}
  servers: [{port: {number: %d, name: out, protocol: %s}, hosts: [bank.test]%s}]
---
"""
SUBSET = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: out, namespace: shop}
spec:
  host: istio-egressgateway.istio-system.svc.cluster.local
  subsets: [{name: bank%s}]
---
"""
TO_GATEWAY = (
    "{host: istio-egressgateway.istio-system.svc.cluster.local, subset: bank, port: {number: %d}}"
)
RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: out, namespace: shop}
spec:
  hosts: [bank.test]
  gateways: [mesh, out]
  %s:
    - match: [{gateways: [mesh], port: %d%s}]
      route: [{destination: %s}]
    - match: [{gateways: [out], port: %d%s}]
      route: [{destination: {host: bank.test, port: {number: %d}}}]
---
"""
HTTP = RULE % ("http", 80, "", TO_GATEWAY % 80, 80, "", 80)
SNI = ", sniHosts: [bank.test]"
TLS = RULE % ("tls", 443, SNI, TO_GATEWAY % 443, 443, SNI, 443)
PLAIN = GATEWAY % ("egressgateway", 80, "HTTP", "")
PASSED = GATEWAY % ("egressgateway", 443, "TLS", ", tls: {mode: PASSTHROUGH}")
MUTUAL = ", trafficPolicy: {tls: {mode: ISTIO_MUTUAL, sni: bank.test}}"


def test_plain_http_passes_both_envoys() -> None:
    explanation = explain_request(ENTRY + PLAIN + SUBSET % "" + HTTP, "http://bank.test/a")
    outcome = only_outcome(explanation)
    assert (outcome.kind, outcome.workload) == (OUTSIDE, "bank.test")
    steps = [explanation.steps[0], *explanation.steps[0].branches]
    assert "istio-egressgateway" in {s.at for s in steps}


def test_the_app_s_own_tls_passes_by_its_sni() -> None:
    rules = ENTRY + PASSED + SUBSET % "" + TLS
    outcome = only_outcome(explain_request(rules, "https://bank.test/"))
    assert (outcome.kind, outcome.workload) == (TUNNEL, "bank.test")
    closed = only_outcome(
        explain_request(
            rules.replace("hosts: [bank.test], tls", "hosts: [a.test], tls"), "https://bank.test/"
        )
    )
    assert closed.status == 503


@pytest.mark.parametrize(
    ("mode", "policy", "answered"),
    [
        ("", "", True),
        (", tls: {mode: ISTIO_MUTUAL}", MUTUAL, True),
        (", tls: {mode: ISTIO_MUTUAL}", "", False),
        ("", MUTUAL, False),
    ],
)
def test_both_sides_must_speak_mutual_tls(mode: str, policy: str, answered: bool) -> None:
    protocol = "HTTPS" if mode else "HTTP"
    gateway = GATEWAY % ("egressgateway", 80, protocol, mode)
    outcome = only_outcome(
        explain_request(ENTRY + gateway + SUBSET % policy + HTTP, "http://bank.test/a")
    )
    assert outcome.answered is answered
    assert answered or "closed by istio-egressgateway" in outcome.why


def test_a_gateway_that_nobody_serves_is_why() -> None:
    gateway = GATEWAY % ("egresgateway", 80, "HTTP", "")
    outcome = only_outcome(
        explain_request(ENTRY + gateway + SUBSET % "" + HTTP, "http://bank.test/a")
    )
    assert outcome.status == 503
    assert "no Gateway selects that gateway" in outcome.why


def test_a_request_at_the_egress_gateway_itself() -> None:
    rules = ENTRY + PLAIN + SUBSET % "" + HTTP
    outcome = only_outcome(explain_request(rules, "http://bank.test/a", "istio-egressgateway"))
    assert (outcome.kind, outcome.workload) == (OUTSIDE, "bank.test")
    other = explain_request(rules, "http://other.test/a", "istio-system/istio-egressgateway")
    assert only_outcome(other).status == 404
