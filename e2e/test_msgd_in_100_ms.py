"""msgd is slow, down, or answers 500: payments go on, payers are told, and nobody waits for long.

Nobody waits because of the rule; without it p99 is as long as msgd takes. All recovers by itself
when the cause is gone; the figures say how long that took.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from e2e.payments.outcomes import account, next_is_notified
from e2e.payments.payment import payments
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments, documents
from e2e.support.processes import until
from meshproof.mesh import Capability, Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.counts import exactly
from meshproof.verdicts.latency import latency_below
from meshproof.verdicts.recovery import recovered

pytestmark = [pytest.mark.long, pytest.mark.alone]


RULE = RULES / "msgd_in_100_ms.yaml"
SLOW_MS, BOUND = 20_000, 10.0
"""How slow msgd is, and the seconds within which payers have their answer all the same: the rule's
0.1, and the rest for a payment's own way on a busy machine."""
N = 1000
"""2 of 1000 may be slower and p99 is still surely within the bound."""
USERS = 16
ERROR_500 = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: msgd}
spec:
  hosts: [by-address.msgd.test]
  http:
    - fault: {abort: {httpStatus: 500, percentage: {value: 100}}}
      timeout: 100ms
      route: [{destination: {host: by-address.msgd.test}}]
"""


@dataclass(frozen=True)
class Ill:
    """What happens to msgd, how it ends, and the reason that payers are told."""

    begin: Callable[[Mesh], object]
    end: Callable[[Mesh], object]
    reason: str


ILL = {
    "slow": Ill(
        lambda mesh: mesh.fault("latency", "msgd.test", ms=SLOW_MS),
        lambda mesh: mesh.fault("heal", "msgd.test"),
        "timeout",
    ),
    "down": Ill(
        lambda mesh: mesh.fault("refuse", "msgd.test"),
        lambda mesh: mesh.fault("heal", "msgd.test"),
        "refused",
    ),
    "answering 500": Ill(
        lambda mesh: mesh.apply([Source("msgd answers 500", ERROR_500)]),
        lambda mesh: mesh.apply([RULE]),
        "error",
    ),
}


def begin(mesh: Mesh, kind: str) -> Ill:
    """Make msgd ill from now on; skips what a mesh cannot do."""
    if Capability.CUT not in mesh.capabilities and kind in ("slow", "down"):
        pytest.skip("network faults need the nodes of a kind cluster")
    ILL[kind].begin(mesh)
    return ILL[kind]


def test_the_rule_waits_less_than_the_bound() -> None:
    (http,) = documents(RULE)[0]["spec"]["http"]
    assert float(http["timeout"].removesuffix("ms")) / 1000 < BOUND


@pytest.mark.parametrize("kind", ILL)
def test_payments_go_on_and_nobody_waits(
    mesh: Mesh, load: StartLoad, judge: Judge, kind: str
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    running = load(users=USERS).reach(100)
    ill = begin(mesh, kind)
    begun = time.time()
    running.reach(running.progress() + N + 2 * USERS)
    healed = time.time()
    ill.end(mesh)
    until(lambda: next_is_notified(mesh), "a payment is notified again")
    results = running.reach(running.progress() + 300).stop()
    paid = payments(results.records)
    during = [p for p in paid if begun < p.time and p.end < healed]
    informed = [p.reason for p in during if p.status == 200 and p.paid]
    reasons = {ill.reason, "timeout"}  # on a busy machine the 100 ms may be over before
    judge(
        exactly(
            f"{kind}: paid and told",
            len(during),
            {" or ".join(sorted(reasons)): sum(reason in reasons for reason in informed)},
            expected=len(during),
        )
    )
    assert ill.reason in informed
    judge(latency_below(f"{kind}: p99", [p.elapsed for p in during], seconds=BOUND))
    judge(recovered(f"{kind}: healed", healed, [(p.time, p.notified) for p in paid], enough=100))
    judge(account(f"{kind}: account", mesh, results))


def test_without_the_rule_everybody_waits(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    for app in ("svca", "svcb"):  # whose own patience ends before msgd's answer comes
        mesh.apply([Source(f"a patient {app}", deployments(app, {"READ_TIMEOUT": "60"}))])
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    begin(mesh, "slow")
    results = load(requests=USERS, users=USERS).wait()
    waits = [record.elapsed for record in results.records]
    judge(
        latency_below("slow, without the rule: p99", waits, seconds=BOUND),
        expect="fail",
        because=rf"{USERS} of {USERS} slower than {BOUND:g} s",
    )
    judge(account("slow, without the rule: account", mesh, results))
