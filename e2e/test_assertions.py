"""The plugin's assertions on the suite: each passes where it must, and fails where it must."""

from __future__ import annotations

import re

import pytest

from e2e.payments import msgd
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments
from meshproof.assertions import (
    Apply,
    AssertAllowed,
    AssertBlocked,
    AssertSplit,
    AssertStatus,
    AssertTrace,
)
from meshproof.errors import Refused
from meshproof.mesh import Mesh

pytestmark = pytest.mark.nightly


TENTH = RULES / "svcb_v0_1_90_v0_2_10.yaml"
OPEN = EGRESS_BY_ADDRESS["v1"]
MSGD = "http://10.100.35.27:9997/send?msg=x"


def test_a_split_behind_the_gateway(apply: Apply, assert_split: AssertSplit) -> None:
    apply(OPEN, TENTH)
    verdict = assert_split(to="svcb", rule=TENTH, path="/pay", alternative=0.1)
    assert verdict.figures["told_by"] == "label version"
    assert_split(
        to="svcb", weights={"v0.1": 70, "v0.2": 30}, path="/pay", alternative=0.1, expect="fail"
    )


def test_a_split_from_a_workload(apply: Apply, assert_split: AssertSplit) -> None:
    apply(RULES / "svcb_v0_2_100.yaml")
    weights = {"svcb-v0.1": 0, "svcb-v0.2": 100}
    verdict = assert_split(to="svcb", weights=weights, from_="svca", path="/healthz")
    assert verdict.figures["told_by"] == "workload"
    assert verdict.n == 270


def test_egress_is_blocked_until_it_is_opened(
    mesh: Mesh, apply: Apply, assert_blocked: AssertBlocked, assert_allowed: AssertAllowed
) -> None:
    def arrived(run_id: str) -> int:
        return len(msgd.message_ids(mesh, run_id))

    assert_blocked(MSGD, from_="svcb-v0.1", opened_by=OPEN, arrived=arrived)
    assert_allowed(MSGD, from_="svcb-v0.1", expect="fail")
    unproved = assert_blocked(MSGD, from_="svcb-v0.1")
    assert "none" in str(unproved.figures["control"])
    apply(OPEN)
    assert_allowed(MSGD, from_="svcb-v0.1", arrived=arrived)
    assert_blocked(MSGD, from_="svcb-v0.1", expect="fail")


def test_who_is_let_in(
    apply: Apply, assert_blocked: AssertBlocked, assert_allowed: AssertAllowed
) -> None:
    rule = RULES / "svcb_only_from_svca.yaml"
    apply(OPEN)
    url = "http://svcb/notify?msg=x"
    assert_blocked(url, from_="svcb-v0.1", closed_by=rule)
    assert_blocked(url, from_="svcb-v0.2", positive="svca", status=403)
    assert_allowed(url, from_="svca")


def test_calls_that_fail_are_named(assert_split: AssertSplit) -> None:
    """Egress is closed, so both versions of svcb answer 502: that is no evidence of a split."""
    verdict = assert_split(
        to="svcb", weights={"v0.1": 100, "v0.2": 0}, path="/pay", alternative=0.5,
        expect="fail", because="fail|no evidence|callers got 502",
    )  # fmt: skip
    assert any(re.match(r"calls to svcb failed: 20 x 502 \(flags -\)", p) for p in verdict.problems)


def test_a_status_is_whoevers_word(apply: Apply, assert_status: AssertStatus) -> None:
    apply(TEAPOT)
    assert_status(418, "http://svcb/tea", from_="svca")
    assert_status(200, "http://svcb/tea", from_="svca", expect="fail")
    assert_status(404, "/nowhere")


def test_a_trace_is_whole_or_it_fails(apply: Apply, assert_trace: AssertTrace) -> None:
    apply(OPEN)
    calls = [("gateway", "svca"), ("svca", "svcb"), ("svcb", "10.100.35.27")]
    assert_trace("/pay", calls)
    assert_trace("/pay", calls[:2], expect="fail", because="surplus svcb -> by-address")
    apply(deployments("svca", {"FORWARD_TRACE_HEADERS": "off"}))
    assert_trace("/pay", calls, expect="fail")


def test_what_is_applied_is_refused_whole_and_said(apply: Apply) -> None:
    with pytest.raises(Refused, match=r"<the test's YAML>:\d+: .*wieght"):
        apply(TEAPOT.replace("http:", "wieght: 1\n  http:"))


def test_a_version_that_no_weight_names(apply: Apply, assert_split: AssertSplit) -> None:
    apply(OPEN)
    assert_split(
        to="svcb", weights={"v0.1": 100}, path="/pay", expect="fail",
        because="which no weight names|wanted exactly",
    )  # fmt: skip


TEAPOT = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svcb, namespace: payments}
spec:
  hosts: [svcb]
  http:
    - directResponse: {status: 418}
"""
