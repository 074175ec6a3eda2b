"""Explanations in pods: names, captured connections, and what Envoys do with each."""

from __future__ import annotations

import pytest

from meshproof.explain import Explanation
from meshproof.explain.result import APP, CLOSED, OUTSIDE, TUNNEL
from tests.explain.mesh_files import (
    explain_request,
    http,
    notes,
    only_outcome,
    responders,
    workloads,
)

BANK = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: shop}
spec:
  hosts: [bank.test]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]
---
"""
STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
---
"""
TLS_RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bank, namespace: shop}
spec:
  hosts: [bank.test]
  tls:
    - match: [{port: 443, sniHosts: [bank.test]}]
      route:
        - {destination: {host: bank.test, port: {number: 443}}, weight: 75}
        - {destination: {host: echo, port: {number: 9000}}, weight: 25}
---
"""
TWO_ECHOS = workloads(client=1, echo_v1=1, echo_v2=1)
ONE_ECHO = workloads(client=1, echo_v1=1)


def _explain(rules: str, url: str, source: str = "client", text: str = TWO_ECHOS) -> Explanation:
    return explain_request(rules, url, source, text=text, pods=True)


@pytest.mark.parametrize(
    "host", ["echo", "echo.shop", "echo.shop.svc", "echo.shop.svc.cluster.local"]
)
def test_a_service_is_found_by_each_of_its_names(host: str) -> None:
    explanation = _explain("", f"http://{host}/")
    assert responders(explanation) == {"shop/echo-v1 v1": 50.0, "shop/echo-v2 v2": 50.0}
    assert any(n.startswith("listener 0.0.0.0_80") for n in notes(explanation.steps))


def test_rules_of_http_hold_as_without_pods() -> None:
    rule = http("{route: [{destination: {host: echo, subset: v2}}]}")
    explanation = _explain(STRICT + rule, "http://echo/")
    assert responders(explanation) == {"shop/echo-v2 v2": 100.0}
    assert explanation.steps[0].rule is not None


def test_a_name_that_nobody_knows_is_not_even_called() -> None:
    outcome = only_outcome(_explain("", "http://nobody/"))
    assert outcome.kind == CLOSED
    assert "no address" in outcome.why


THROUGH_A_PROXY = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo, namespace: shop}
spec: {host: echo, trafficPolicy: {tunnel: {targetHost: bank.test, targetPort: 443}}}
---
"""


def test_a_tunnel_is_told() -> None:
    (step,) = _explain(THROUGH_A_PROXY, "http://echo:9000/", text=ONE_ECHO).steps
    assert step.text.endswith(", in a tunnel that it asks for by CONNECT bank.test:443")


def test_a_tcp_port_is_reached_as_bytes() -> None:
    outcome = only_outcome(_explain("", "http://echo:9000/", text=ONE_ECHO))
    assert (outcome.kind, outcome.workload) == (APP, "echo-v1")
    assert "as bytes" in outcome.why


def test_an_unknown_address_is_closed_on_a_port_without_http_and_refused_on_one_with_it() -> None:
    """The tutorial's EOF; Istio's BlackHoleCluster and its block_all route."""
    outcome = only_outcome(_explain("", "http://10.100.35.27:9997/"))
    assert (outcome.kind, outcome.status) == (CLOSED, None)
    outcome = only_outcome(_explain("", "http://10.100.35.27/"))
    assert outcome.status == 502


ALLOW_ANY = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec: {outboundTrafficPolicy: {mode: ALLOW_ANY}}
---
"""
ECHO_S_7070 = "http://198.18.0.2:7070/"
"""A port that nothing declares, at the second pod."""
DENY_7070 = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: shop}
spec: {action: DENY, rules: [{to: [{operation: {ports: ["%d"]}}]}]}
---
"""


def test_a_port_that_nothing_declares_is_passed_on_in_plain_text() -> None:
    explanation = _explain(ALLOW_ANY + DENY_7070 % 7071, ECHO_S_7070, text=ONE_ECHO)
    outcome = only_outcome(explanation)
    assert (outcome.kind, outcome.workload) == (APP, "echo-v1")
    assert any("nothing declares port 7070" in note for note in notes(explanation.steps))


def test_what_closes_a_declared_port_closes_one_that_nothing_declares() -> None:
    outcome = only_outcome(_explain(ALLOW_ANY + STRICT, ECHO_S_7070, text=ONE_ECHO))
    assert outcome.kind == CLOSED
    assert "STRICT" in outcome.why
    outcome = only_outcome(_explain(ALLOW_ANY + DENY_7070 % 7070, ECHO_S_7070, text=ONE_ECHO))
    assert outcome.status == 403


def test_a_mode_of_that_port_alone_holds_there_alone() -> None:
    peers = STRICT.replace(
        "{mtls: {mode: STRICT}}",
        "{selector: {matchLabels: {app: echo}}, mtls: {mode: STRICT},"
        " portLevelMtls: {'7070': {mode: DISABLE}}}",
    )
    assert only_outcome(_explain(ALLOW_ANY + peers, ECHO_S_7070, text=ONE_ECHO)).kind == APP
    other = ECHO_S_7070.replace("7070", "7071")
    assert only_outcome(_explain(ALLOW_ANY + peers, other, text=ONE_ECHO)).kind == CLOSED


def test_an_address_of_a_pod_is_closed_without_a_rule() -> None:
    outcome = only_outcome(_explain("", ECHO_S_7070, text=ONE_ECHO))
    assert outcome.kind == CLOSED
    assert "no rule opens" in outcome.why


def test_on_a_port_of_http_an_address_of_a_pod_is_passed_on_as_well() -> None:
    outcome = only_outcome(_explain(ALLOW_ANY, "http://198.18.0.2/", text=ONE_ECHO))
    assert (outcome.kind, outcome.workload) == (APP, "echo-v1")


def test_a_declared_host_answers_by_its_way_out() -> None:
    outcome = only_outcome(_explain(BANK, "http://bank.test/"))
    assert (outcome.kind, outcome.workload) == (OUTSIDE, "bank.test")


def test_tls_is_told_by_its_name_and_split_by_the_rule_which_is_named() -> None:
    explanation = _explain(BANK + TLS_RULE, "https://bank.test/", text=ONE_ECHO)
    outcomes = {(o.kind, o.workload): round(c, 2) for c, o in explanation.outcomes()}
    assert outcomes == {(TUNNEL, "bank.test"): 0.75, (TUNNEL, "echo-v1"): 0.25}
    rule = explanation.steps[0].rule
    assert rule is not None
    assert str(rule).startswith("VirtualService shop/bank spec.tls[0] (rules.yaml:")


def test_tls_of_another_name_on_that_port_is_closed() -> None:
    outcome = only_outcome(_explain(BANK, "https://10.9.9.9/"))
    assert outcome.kind == CLOSED


def test_the_gateway_reaches_pods_by_their_sockets() -> None:
    gateway = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: ["*"]
  gateways: [gw]
  http: [{route: [{destination: {host: echo}}]}]
---
"""
    explanation = _explain(gateway, "http://shop.test/", source="gateway", text=ONE_ECHO)
    assert responders(explanation) == {"shop/echo-v1 v1": 100.0}


NO_SIDECAR = "labels: {app: APP, version: v1, sidecar.istio.io/inject: 'false'}"


def _without_sidecar(app: str) -> str:
    labels = f"labels: {{app: {app}, version: v1}}"
    assert ONE_ECHO.count(labels) == 1
    return ONE_ECHO.replace(labels, NO_SIDECAR.replace("APP", app))


@pytest.mark.parametrize(("rules", "kind"), [("", APP), (STRICT, CLOSED)])
def test_a_caller_without_a_sidecar_speaks_plain_text(rules: str, kind: str) -> None:
    explanation = _explain(rules, "http://echo/", text=_without_sidecar("client"))
    assert only_outcome(explanation).kind == kind
    assert any("has no sidecar" in note for note in notes(explanation.steps))


def test_a_server_without_a_sidecar_is_called_in_plain_text_whatever_is_strict() -> None:
    explanation = _explain(STRICT, "http://echo/", text=_without_sidecar("echo"))
    outcome = only_outcome(explanation)
    assert outcome.kind == APP
    assert "without a sidecar" in outcome.why


def test_without_a_sidecar_an_unknown_address_is_nobody_s() -> None:
    explanation = _explain("", "http://10.9.8.7:5/", text=_without_sidecar("client"))
    assert only_outcome(explanation).kind == CLOSED
    assert "nothing listens at 10.9.8.7:5" in only_outcome(explanation).why


ENTRY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gate, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.test]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: entry, namespace: shop}
spec:
  hosts: [shop.test]
  gateways: [gate]
  http: [{route: [{destination: {host: echo}}]}]
---
"""
DENY_ADDRESSES = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: shop}
spec: {action: DENY, rules: [{from: [{source: {ipBlocks: [0.0.0.0/0]}}]}]}
"""


def test_a_gateway_enters_a_pod_without_an_address() -> None:
    """It comes by a Unix socket, which Envoy finds in no range of addresses."""
    rules = ENTRY + DENY_ADDRESSES
    assert responders(_explain(rules, "http://echo/", text=ONE_ECHO)) == {"403": 100.0}
    entered = responders(_explain(rules, "http://shop.test/", "gateway", text=ONE_ECHO))
    assert entered == {"shop/echo-v1 v1": 100.0}
