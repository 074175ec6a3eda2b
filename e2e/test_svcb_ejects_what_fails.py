"""Callers eject a replica that fails by themselves, and use it again when the ejection is over;
without the rule half of the payers go on being hurt."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence

import pytest

from e2e.payments.payment import is_notified
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, documents
from meshproof.mesh import Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.traffic.record import Record
from meshproof.verdicts.recovery import fails_over
from meshproof.verdicts.verdict import Verdict, conclude
from meshproof.wait import until

pytestmark = [pytest.mark.long, pytest.mark.alone]


RULE = RULES / "svcb_ejects_what_fails.yaml"
USERS = 8
BEFORE, DURING, AFTER = 200, 150, 60
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


def _outlier() -> dict[str, object]:
    (rule,) = documents(RULE)
    outlier: dict[str, object] = rule["spec"]["trafficPolicy"]["outlierDetection"]
    return outlier


MOST = int(str(_outlier()["consecutive5xxErrors"])) + USERS - 1
"""Payers hurt by one ejection: those that are counted, and those already in flight."""
EJECTED = float(str(_outlier()["baseEjectionTime"]).removesuffix("s"))
"""Seconds. The proof takes a longer ejection where the cause outlasts it: on
a cluster, on a busy machine."""


def hurt_verdict(name: str, records: Sequence[Record]) -> Verdict:
    """No more payers were hurt than an ejection costs. Counted, not drawn: no alpha."""
    ill = sum(not is_notified(r) for r in records)
    problems = [] if 0 < ill <= MOST else [f"{ill} payers were hurt; wanted 1 to {MOST}"]
    return conclude(
        name,
        len(records),
        {"hurt": ill, "others": len(records) - ill},
        problems,
        wanted=f"at most {MOST} hurt",
        found=f"{ill} of {len(records)} hurt",
        allowed=f"1 to {MOST}",
    )


def v0_2_answers(mesh: Mesh) -> bool:
    """Whether one more payment, of no run, met v0.2."""
    answer = mesh.curl("svca", "http://svca/pay")
    return answer.status == 200 and json.loads(answer.body)["svcb_version"] == "v0.2"


def test_it_is_left_out_and_taken_back(mesh: Mesh, load: StartLoad, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    started = time.time()
    mesh.apply([Source("msgd is well", WELL)])
    running = load(users=USERS).reach(BEFORE)
    ejected = max(EJECTED, math.ceil(3 * (time.time() - started)))
    mesh.apply([Source(RULE.name, RULE.read_text().replace(f"{EJECTED:g}s", f"{ejected:g}s"))])
    mesh.apply([Source("msgd answers v0.2 with 500", ILL)])
    begun = time.time()
    running.reach(running.progress() + DURING)
    mesh.apply([Source("msgd is well", WELL)])
    healed = time.time()
    assert healed - begun < ejected, "this took longer than an ejection: it may have been tried"
    until(
        lambda: "" if v0_2_answers(mesh) else "it is left out still",
        "waiting for v0.2 to be taken back",
        within=2 * ejected + 20,
    )
    records = running.reach(running.progress() + AFTER).stop().records
    judge(hurt_verdict("ejected: payers", [r for r in records if r.time > begun - 1]))
    served = [r.time for r in records if r.version == "v0.2" and is_notified(r)]
    others = [r.time for r in records if r.version == "v0.1"]
    ill = [r.time for r in records if not is_notified(r)]
    judge(fails_over("ejected: left out", begun, served, ill, others))


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
