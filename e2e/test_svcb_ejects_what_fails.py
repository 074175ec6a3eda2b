"""Callers eject a replica that fails by themselves, and use it again when the ejection is over;
without the rule half of the payers go on being hurt."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from e2e.payments.payment import is_notified
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, documents
from e2e.support.processes import until
from e2e.support.replicas import meetings, version_that_answers
from meshproof.mesh import Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.record import Record
from meshproof.verdicts.recovery import ENOUGH, fails_over, longest_outage
from meshproof.verdicts.verdict import Verdict, conclude

pytestmark = [pytest.mark.long, pytest.mark.alone]


RULE = RULES / "svcb_ejects_what_fails.yaml"
USERS = 8
BEFORE, DURING, AFTER = 200, 400, 60
ILL = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: msgd}
spec:
  hosts: [by-address.msgd.test]
  http:
    - match: [{sourceLabels: {version: v0.2}}]
      fault: {abort: {httpStatus: 500, percentage: {value: 100}}}
      route: [{destination: {host: by-address.msgd.test}}]
    - route: [{destination: {host: by-address.msgd.test}}]
"""
"""msgd answers v0.2 of svcb with 500, and it answers 502: one replica, ill and then well."""
WELL = ILL.replace("value: 100", "value: 0")


def _consecutive_errors() -> int:
    (rule,) = documents(RULE)
    return int(rule["spec"]["trafficPolicy"]["outlierDetection"]["consecutive5xxErrors"])


MOST = _consecutive_errors() + 8 * USERS
"""Payers hurt by one ejection: those that are counted, those in flight, and those that Envoy's
worker thread sends on until its main thread, which ejects, has its turn on a busy machine."""


def hurt_verdict(name: str, records: Sequence[Record]) -> Verdict:
    """No more payers were hurt at a time than an ejection costs. Counted, not drawn: no alpha.

    Payers who are hurt belong to one ejection unless ``ENOUGH`` in a row are well between them: the
    replica may be tried again, and ejected again, while it is ill.
    """
    hurt, bursts, well = 0, [0], 0
    for record in sorted(records, key=lambda r: r.time):
        if is_notified(record):
            well += 1
            continue
        if well >= ENOUGH:
            bursts.append(0)
        hurt, well = hurt + 1, 0
        bursts[-1] += 1
    worst = max(bursts)
    problems = [] if 0 < worst <= MOST else [f"{worst} payers were hurt; wanted 1 to {MOST}"]
    return conclude(
        name,
        len(records),
        {"hurt": hurt, "others": len(records) - hurt, "most_at_a_time": worst},
        problems,
        wanted=f"at most {MOST} hurt by an ejection",
        found=f"{hurt} of {len(records)} hurt, at most {worst} at a time",
        allowed=f"1 to {MOST}",
    )


def test_it_is_left_out_and_taken_back(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    mesh.apply([Source("msgd is well", WELL)])
    (ill,) = [(r.name, r.address) for r in mesh.status().replicas if r.workload == "svcb-v0.2"]
    running = load(users=USERS).reach(BEFORE)
    mesh.apply([Source("msgd answers v0.2 with 500", ILL)])
    while longest_outage(meetings(mesh.access_log(run.id), "svca", "svcb", ill)) < ENOUGH:
        running.reach(running.progress() + ENOUGH)  # each ejection is longer than the one before
    mesh.apply([Source("msgd is well", WELL)])
    until(lambda: version_that_answers(mesh) == "v0.2", "it is called again")
    results = running.reach(running.progress() + AFTER).stop()
    judge(hurt_verdict("ejected: payers", results.records))
    judge(fails_over("ejected: left out", meetings(run.access_log(), "svca", "svcb", ill)))


def test_without_the_rule_payers_go_on_being_hurt(
    mesh: Mesh, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    mesh.apply([Source("msgd answers v0.2 with 500", ILL)])
    results = load(requests=DURING, users=USERS).wait()
    judge(
        hurt_verdict("not ejected: payers", results.records),
        expect="fail",
        because=r"\d+ payers were hurt; wanted 1 to",
    )
