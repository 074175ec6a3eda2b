"""Explanations on a mesh of files: who answers, and why."""

from __future__ import annotations

import pytest

from tests.explain.mesh_files import (
    explain_request,
    http,
    notes,
    only_outcome,
    responders,
    workloads,
)


def test_without_a_rule_every_replica_has_its_share() -> None:
    explanation = explain_request(
        "", "http://echo/", text=workloads(client=1, echo_v1=3, echo_v2=1)
    )
    assert responders(explanation) == {"shop/echo-v1 v1": 75.0, "shop/echo-v2 v2": 25.0}
    assert len(explanation.outcomes()) == 4
    assert explanation.answered == pytest.approx(1)


def test_weights_are_chances_and_the_rule_is_named_with_its_line() -> None:
    rule = http(
        "route: [{destination: {host: echo, subset: v1}, weight: 90}, "
        "{destination: {host: echo, subset: v2}, weight: 10}]"
    )
    explanation = explain_request(rule, "http://echo/")
    assert responders(explanation) == {"shop/echo-v1 v1": 90.0, "shop/echo-v2 v2": 10.0}
    (step,) = explanation.steps
    assert step.rule is not None
    assert str(step.rule).startswith("VirtualService shop/echo spec.http[0] (rules.yaml:")


def test_routes_that_did_not_match_say_why() -> None:
    rule = http(
        "{match: [{headers: {end-user: {exact: jason}}}], directResponse: {status: 418}}\n"
        "{route: [{destination: {host: echo, subset: v2}}]}"
    )
    explanation = explain_request(rule, "http://echo/")
    assert explanation.steps[0].skipped[0][1] == 'header end-user is absent, wanted "jason"'
    assert responders(explanation) == {"shop/echo-v2 v2": 100.0}
    explanation = explain_request(rule, "http://echo/", headers=[("end-user", "jason")])
    assert responders(explanation) == {"418": 100.0}
    assert explanation.answered == 0


@pytest.mark.parametrize(
    ("destination", "status", "why"),
    [
        ("{host: echo, subset: v9}", 503, "no DestinationRule that counts here makes subset v9"),
        ("{host: echo, port: {number: 81}}", 503, "has no port 81, or is not a host"),
        ("{host: nobody}", 503, "nobody.shop.svc.cluster.local has no port 80, or is not a host"),
    ],
)
def test_destinations_that_are_none(destination: str, status: int, why: str) -> None:
    outcome = only_outcome(
        explain_request(http(f"route: [{{destination: {destination}}}]"), "http://echo/")
    )
    assert (outcome.status, outcome.kind) == (status, "mesh")
    assert why in outcome.why
    assert outcome.rule is not None


def test_nobody_who_is_ready() -> None:
    explanation = explain_request("", "http://echo/", text=workloads(client=1))
    assert only_outcome(explanation).why == "echo.shop:80 has no ready endpoint"


def test_faults_part_the_chances() -> None:
    rule = http(
        "{fault: {abort: {httpStatus: 500, percentage: {value: 20}}, "
        "delay: {fixedDelay: 2s, percentage: {value: 10}}}, "
        "route: [{destination: {host: echo, subset: v1}}]}"
    )
    explanation = explain_request(rule, "http://echo/")
    assert responders(explanation) == {"500": 20.0, "shop/echo-v1 v1": 80.0}
    assert "delayed by 2s in 10 % of calls" in list(notes(explanation.steps))


def test_timeouts_retries_mirrors_and_headers_are_told() -> None:
    rule = http(
        "{timeout: 3s, retries: {attempts: 4, perTryTimeout: 1s, retryOn: 5xx}, "
        "mirror: {host: echo, subset: v2}, mirrorPercentage: {value: 5}, "
        "headers: {request: {set: {x-a: b}, remove: [x-c]}}, rewrite: {uri: /new}, "
        "route: [{destination: {host: echo, subset: v1}}]}"
    )
    explanation = explain_request(rule, "http://echo/old")
    message = list(notes(explanation.steps))
    assert "504 after 3s" in message
    assert "up to 4 retries on 5xx, 1s a try" in message
    assert "5 % of calls are mirrored to subset v2 of echo.shop:80" in message
    assert "request header x-a: b is set" in message
    assert "request header x-c is removed" in message
    assert only_outcome(explanation).received == "GET http://echo/newold"


POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: only-get, namespace: shop}
spec:
  selector: {matchLabels: {version: v1}}
  rules:
    - from: [{source: {principals: [cluster.local/ns/shop/sa/client]}}]
      to: [{operation: {methods: [GET]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-secret, namespace: shop}
spec:
  action: DENY
  rules: [{to: [{operation: {paths: [/secret]}}]}]
---
"""


def test_the_server_s_policies_are_followed_and_named() -> None:
    explanation = explain_request(POLICY, "http://echo/secret")
    assert {o.why for _, o in explanation.outcomes()} == {
        "AuthorizationPolicy shop/no-secret denies it at echo-v1-1 inbound",
        "AuthorizationPolicy shop/no-secret denies it at echo-v2-1 inbound",
    }
    rule = explanation.outcomes()[0][1].rule
    assert rule is not None
    assert (rule.title, rule.field) == ("AuthorizationPolicy shop/no-secret", "spec.rules[0]")
    assert rule.line > 0
    assert explanation.answered == 0


def test_one_version_may_refuse_what_another_takes() -> None:
    explanation = explain_request(POLICY, "http://echo/", method="PUT")
    assert responders(explanation) == {"403": 50.0, "shop/echo-v2 v2": 50.0}
    assert 'the method is "PUT", wanted "GET"' in next(
        o.why for _, o in explanation.outcomes() if o.status == 403
    )
    explanation = explain_request(POLICY, "http://echo/")
    assert explanation.answered == pytest.approx(1)
    assert any("let in by AuthorizationPolicy shop/only-get" in n for n in notes(explanation.steps))


def test_a_path_is_judged_as_it_arrives() -> None:
    rule = http(
        "{match: [{uri: {exact: /}}], rewrite: {uri: /secret}, "
        "route: [{destination: {host: echo, subset: v2}}]}"
    )
    assert only_outcome(explain_request(POLICY + rule, "http://echo/")).status == 403


MODE = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: all, namespace: shop}
spec: {mtls: {mode: %s}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: plain, namespace: shop}
spec: {host: echo, trafficPolicy: {tls: {mode: DISABLE}}}
"""


@pytest.mark.parametrize(("mode", "status"), [("STRICT", 503), ("PERMISSIVE", None)])
def test_plain_text_meets_the_server_s_mode(mode: str, status: int | None) -> None:
    explanation = explain_request(MODE % mode, "http://echo/")
    assert {o.status for _, o in explanation.outcomes()} == {status}
    if status:
        assert "mutual TLS alone (PeerAuthentication STRICT)" in explanation.outcomes()[0][1].why
    else:
        assert "by plain text: the caller has no identity here" in list(notes(explanation.steps))


def test_unknown_hosts_and_what_would_open_them() -> None:
    outcome = only_outcome(explain_request("", "http://bank.test/x"))
    assert outcome.status == 502
    assert outcome.why.startswith(
        "no rule opens http://bank.test/x for shop/client: a ServiceEntry (or an EgressRule of 0.4)"
    )
    assert only_outcome(explain_request("", "http://echo:8080/")).why.endswith(
        "known here: echo:80, echo:9000"
    )


ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: shop}
spec:
  hosts: [bank.test]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]
"""


def test_an_entry_opens_the_way_out() -> None:
    outcome = only_outcome(explain_request(ENTRY, "http://bank.test/x"))
    assert (outcome.kind, outcome.workload) == ("outside", "bank.test")
    tunnel = only_outcome(explain_request(ENTRY, "https://bank.test/x"))
    assert (tunnel.kind, tunnel.responder) == ("tunnel", "bank.test")
    assert tunnel.answered


def test_of_two_outside_hosts_at_one_address_the_one_that_was_called_is_named() -> None:
    """pay.test is another name of bank.test's address."""
    entry = ENTRY.replace("hosts: [bank.test]", "hosts: [bank.test, pay.test]")
    for url in ("http://pay.test/x", "https://pay.test/x"):
        outcome = only_outcome(explain_request(entry, url))
        assert outcome.workload == "pay.test"
        assert "the host outside pay.test gets it" in outcome.why
    assert only_outcome(explain_request(entry, "http://bank.test/x")).workload == "bank.test"


def test_a_rewritten_host_is_not_taken_for_the_outside_host() -> None:
    entry = ENTRY.replace("hosts: [bank.test]", "hosts: [bank.test, pay.test]")
    rule = http("{route: [{destination: {host: pay.test}}], rewrite: {authority: bank.test}}")
    outcome = only_outcome(explain_request(f"{entry}---\n{rule}", "http://echo/"))
    assert outcome.workload == "pay.test"


def test_https_to_a_port_of_plain_http_is_no_answer() -> None:
    outcome = only_outcome(explain_request("", "https://echo:80/"))
    assert (outcome.kind, outcome.answered) == ("closed", False)


def test_an_old_rule_is_named_as_it_was_written() -> None:
    old = """
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: echo-v2, namespace: shop}
spec:
  destination: {name: echo}
  route: [{labels: {version: v2}}]
"""
    explanation = explain_request(old, "http://echo/")
    assert responders(explanation) == {"shop/echo-v2 v2": 100.0}
    (step,) = explanation.steps
    assert step.rule is not None
    assert step.rule.title == "RouteRule shop/echo-v2"


def test_one_user_sticks_to_one_replica() -> None:
    rule = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo, namespace: shop}
spec: {host: echo, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}}
"""
    sticky = "always the same of 2, by header x-user"
    assert sticky in list(
        notes(explain_request(rule, "http://echo/", headers=[("x-user", "a")]).steps)
    )
    assert sticky not in list(notes(explain_request(rule, "http://echo/").steps))


def test_a_sidecar_takes_proxy_protocol_for_a_bad_request() -> None:
    """A sidecar's HTTP port takes the header for a request; bytes go through as they are."""
    rule = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: header, namespace: shop}
spec: {host: echo, trafficPolicy: {proxyProtocol: {}}}
"""
    outcome = only_outcome(explain_request(rule, "http://echo/", text=workloads(client=1, echo=1)))
    assert (outcome.status, outcome.why) == (
        400,
        "echo-1 takes proxyProtocol's header for a request",
    )
