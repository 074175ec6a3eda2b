"""Retries before svcb hide failures, and what is sent twice is a message once, by its id.

Without the id, which svca gives before the first try, the same retries send messages twice; and
before svca, where there is no id yet, they pay twice. The account finds both.
"""

from __future__ import annotations

import pytest

from e2e.payments.outcomes import account, outcomes
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments
from meshproof.mesh import Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.results import Results
from meshproof.verdicts.counts import share_below
from meshproof.verdicts.verdict import Verdict

pytestmark = pytest.mark.long


RULE = RULES / "svcb_retries.yaml"
N = 400
BELOW = 0.1
"""30 % fail at msgd: all of four tries fail in 0.8 %."""
MSGD = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: msgd}}
spec:
  hosts: [by-address.msgd.test]
  http:
    - fault: {fault}
      route: [{{destination: {{host: by-address.msgd.test}}}}]
"""
FAILS = MSGD.format(fault="{abort: {httpStatus: 503, percentage: {value: 30}}}")
LATE = MSGD.format(fault="{delay: {fixedDelay: 1200ms, percentage: {value: 20}}}")
"""Later than the rule waits for one try: the message arrives, after it was sent again."""

BEFORE_SVCA = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: pay}
spec:
  hosts: ["*"]
  gateways: [payments]
  http:
    - match: [{uri: {exact: /pay}}]
      route: [{destination: {host: svca, port: {number: 80}}}]
      retries: {attempts: 3, perTryTimeout: 1s, retryOn: "reset,gateway-error"}
"""


def unnotified_verdict(name: str, results: Results) -> Verdict:
    unnotified = outcomes(results).counts["told"]
    return share_below(name, unnotified, results.sent, below=BELOW, what="not notified")


def test_fewer_payers_are_hurt(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    mesh.apply([Source("msgd fails", FAILS)])
    results = load(requests=N).wait()
    judge(
        unnotified_verdict("without retries", results),
        expect="fail",
        because=rf"\d+ of {N} not notified: that is surely below",
    )
    judge(account("without retries: account", mesh, results))
    mesh.apply([RULE])
    results = load(requests=N, run_id=run.new()).wait()
    judge(unnotified_verdict("with retries", results))
    judge(account("with retries: account", mesh, results))


def test_what_is_sent_twice_is_a_message_once(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    mesh.apply([Source("msgd is late", LATE)])
    results = load(requests=N // 4, users=16).wait()
    once = judge(account("sent twice", mesh, results))
    assert once.counts["dropped"] > 0, "no message came twice: nothing was proved"
    mesh.apply([Source("svca without ids", deployments("svca", {"SEND_MESSAGE_ID": "off"}))])
    results = load(requests=N // 4, users=16, run_id=run.new()).wait()
    judge(
        account("sent twice without ids", mesh, results),
        expect="fail",
        because=r"\d+ stored messages belong to no payment|\d+ requests left several messages",
    )


def test_before_svca_they_would_pay_twice(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    mesh.apply([Source("msgd is late", LATE)])
    results = load(requests=N // 4, users=16).wait()
    judge(account("no retry before svca", mesh, results))
    mesh.apply([Source("retries before svca", BEFORE_SVCA)])
    results = load(requests=N // 4, users=16, run_id=run.new()).wait()
    judge(
        account("retries before svca", mesh, results),
        expect="fail",
        because=r"\d+ stored messages belong to no payment|\d+ requests left several messages",
    )
