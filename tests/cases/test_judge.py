"""Each field of an expectation: what fits passes, and what does not fails for that field."""

from __future__ import annotations

import pytest

from tests.cases.mesh_files import POLICY, SPLIT, TO_V1, TO_V2, judge, lines, rule

OUTSIDE = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: shop}
spec:
  hosts: [bank.test]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
"""
TO_BANK = "{from: client, url: 'http://bank.test/'}"
BUSY = (
    "{timeout: 2s, retries: {attempts: 3, perTryTimeout: 500ms, retryOn: 'reset,5xx'}, "
    "mirrors: [{destination: {host: echo, subset: v2}, percentage: {value: 50}}], "
    "fault: {delay: {fixedDelay: 50ms, percentage: {value: 20}}}, "
    "rewrite: {uri: /new, authority: new.test}, "
    "headers: {request: {set: {x-a: b}, remove: [x-c]}}, "
    "route: [{destination: {host: echo, subset: v1}}]}"
)
REDIRECT = "{redirect: {uri: /there, authority: else.test}}"
ABORT = (
    "{fault: {abort: {httpStatus: 418, percentage: {value: 100}}}, "
    "route: [{destination: {host: echo}}]}"
)
HALF = (
    "{fault: {abort: {httpStatus: 503, percentage: {value: 10}}}, "
    "route: [{destination: {host: echo, subset: v1}}]}"
)

FITTING = [
    ("{workload: echo, version: v1}", rule(TO_V1)),
    ("{workload: echo-v1}", rule(TO_V1)),
    ("{workload: shop/echo}", rule(SPLIT)),
    ("{workload: echo, split: {v1: 90, v2: 10}}", rule(SPLIT)),
    ("{split: {echo v1: 88, echo-v2: 12}, tolerance: 2}", rule(SPLIT)),
    ("{split: {echo: 90, '503': 10}}", rule(HALF)),
    ("{status: 418}", rule(ABORT)),
    ("{redirect: 'http://else.test/there', status: 301}", rule(REDIRECT)),
    ("{timeout: 2s}", rule(BUSY)),
    ("{timeout: none}", rule(TO_V1)),
    ("{retries: 3}", rule(BUSY)),
    ("{retries: {attempts: 3, perTryTimeout: 0.5s, retryOn: [5xx, reset]}}", rule(BUSY)),
    ("{mirror: {workload: echo, version: v2, percent: 50}}", rule(BUSY)),
    ("{mirror: none}", rule(TO_V1)),
    ("{delay: {fixed: 50ms, percent: 20}}", rule(BUSY)),
    ("{delay: none}", rule(TO_V1)),
    ("{path: /new, host: new.test}", rule(BUSY)),
    ("{headers: {x-a: b, x-c: null}}", rule(BUSY)),
    ("{allowed: true}", rule(TO_V1)),
    ("{allowed: false}", rule(ABORT)),
    ("{notReached: [echo-v2, other]}", rule(TO_V1)),
    ("{rule: VirtualService shop/echo}", rule(TO_V1)),
    ("{rule: 'VirtualService echo spec.http[1]'}",
     rule("{match: [{uri: {exact: /a}}], " + TO_V2[1:], TO_V1)),
    ("{envoy: {route: {route: {timeout: 2s}}}}", rule(BUSY)),
    ("{envoy: {cluster: {type: EDS}}}", rule(TO_V1)),
]  # fmt: skip
WRONG = [
    ("{workload: echo, version: v2}", rule(TO_V1), "version"),
    ("{workload: other}", rule(TO_V1), "workload"),
    ("{workload: echo-v1}", rule(SPLIT), "workload"),
    ("{workload: echo, split: {v1: 80, v2: 20}}", rule(SPLIT), "split"),
    ("{workload: echo, split: {v1: 80, v2: 20}, tolerance: 9}", rule(SPLIT), "split"),
    ("{workload: echo, split: {v1: 100}}", rule(SPLIT), "split"),
    ("{status: 503}", rule(ABORT), "status"),
    ("{status: 503}", rule(TO_V1), "status"),
    ("{redirect: 'http://else.test/'}", rule(REDIRECT), "redirect"),
    ("{timeout: 3s}", rule(BUSY), "timeout"),
    ("{timeout: 3s}", rule(TO_V1), "timeout"),
    ("{timeout: 3s}", rule(REDIRECT), "timeout"),
    ("{retries: 2}", rule(BUSY), "retries"),
    ("{retries: {attempts: 3, perTryTimeout: 1s}}", rule(BUSY), "retries.perTryTimeout"),
    ("{retries: {attempts: 3, retryOn: [5xx]}}", rule(BUSY), "retries.retryOn"),
    ("{mirror: none}", rule(BUSY), "mirror"),
    ("{mirror: echo v2}", rule(BUSY), "mirror"),
    ("{mirror: {workload: echo, version: v1, percent: 50}}", rule(BUSY), "mirror"),
    ("{delay: none}", rule(BUSY), "delay"),
    ("{delay: {fixed: 50ms, percent: 30}}", rule(BUSY), "delay"),
    ("{delay: 50ms}", rule(TO_V1), "delay"),
    ("{path: /}", rule(BUSY), "path"),
    ("{host: echo}", rule(BUSY), "host"),
    ("{headers: {x-a: c}}", rule(BUSY), "headers.x-a"),
    ("{headers: {x-a: null}}", rule(BUSY), "headers.x-a"),
    ("{headers: {x-a: b}}", rule(ABORT), "headers.x-a"),
    ("{allowed: true}", rule(ABORT), "allowed"),
    ("{allowed: true}", rule(HALF), "allowed"),
    ("{allowed: false}", rule(HALF), "allowed"),
    ("{notReached: echo}", rule(TO_V1), "notReached"),
    ("{notReached: echo-v2}", rule(BUSY), "notReached"),
    ("{rule: VirtualService shop/other}", rule(TO_V1), "rule"),
    ("{envoy: {route: {route: {timeout: 3s}}}}", rule(BUSY), "envoy.route.route.timeout"),
    ("{envoy: {cluster: {type: STATIC}}}", rule(TO_V1), "envoy.cluster.type"),
    ("{envoy: {filters: {envoy.filters.http.rbac: {rules: {action: DENY}}}}}", rule(TO_V1),
     "envoy.filters.envoy.filters.http.rbac"),
]  # fmt: skip


@pytest.mark.parametrize(("expect", "rules"), FITTING)
def test_what_fits_passes(expect: str, rules: str) -> None:
    assert lines(expect, rules) == []


@pytest.mark.parametrize(("expect", "rules", "field"), WRONG)
def test_what_does_not_fit_fails_for_its_field(expect: str, rules: str, field: str) -> None:
    assert {m.field for m in judge(expect, rules).mismatches} == {field}


def test_a_failure_says_what_was_found_and_which_line_makes_it_so() -> None:
    (line,) = lines("{workload: echo, version: v2}", rule(TO_V1))
    assert line == (
        "version: wanted echo v2; found shop/echo-v1 v1, "
        "by VirtualService shop/echo spec.http[0] (rules.yaml:16)"
    )


def test_a_host_outside() -> None:
    assert lines("{outside: bank.test}", OUTSIDE, TO_BANK) == []
    (mismatch,) = judge("{outside: bank.test}", OUTSIDE + "---" + rule(TO_V1)).mismatches
    assert mismatch.field == "outside"


@pytest.mark.parametrize(
    ("request_", "expect"),
    [
        ("{from: client, url: 'http://echo/ok'}", "{workload: echo}"),
        ("{from: other, url: 'http://echo/ok'}", "{status: 403, refusedBy: AuthorizationPolicy}"),
        ("{from: client, url: 'http://echo/ok', method: POST}",
         "{refusedBy: AuthorizationPolicy shop/echo}"),
    ],
)  # fmt: skip
def test_a_policy(request_: str, expect: str) -> None:
    assert lines(expect, POLICY, request_) == []


def test_another_rule_refuses_it() -> None:
    request = "{from: other, url: 'http://echo/ok'}"
    (line,) = lines("{refusedBy: RequestAuthentication}", POLICY, request)
    assert line.startswith("refusedBy: wanted RequestAuthentication; found 403")
