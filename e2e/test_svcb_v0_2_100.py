"""All calls to svcb go to v0.2, none to v0.1; and the switch to that is not noticed under load."""

from __future__ import annotations

import time

import pytest

from e2e.payments.requests import no_failures, switched
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, V1ALPHA2, weights
from e2e.support.periods import sent_after
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.counts import zero_share
from meshproof.verdicts.split import split
from meshproof.verdicts.switch import SwitchTimes

HALF = {
    "v1": RULES / "svcb_v0_1_50_v0_2_50.yaml",
    "v1alpha2": V1ALPHA2 / "route-rules-svcb-v0.2-50.yaml",
}
RULE = {
    "v1": RULES / "svcb_v0_2_100.yaml",
    "v1alpha2": V1ALPHA2 / "route-rules-svcb-v0.2-100.yaml",
}
N = {"v1": 700, "v1alpha2": 350}
BELOW = {"v1": 0.01, "v1alpha2": 0.02}
"""0 of 700 is below 1 % at confidence 99.9 %, 0 of 350 below 2 %. The old dialect is lowered to the
same route, so it gets the coarser one."""
BEFORE = 300
IN_FLIGHT = 8
"""Requests of as many users that the switch may meet: they may get either version."""


@pytest.mark.parametrize("dialect", RULE)
def test_the_switch_under_load_fails_no_request(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, dialect: str
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS[dialect], HALF[dialect]])
    running = load(users=IN_FLIGHT).reach(BEFORE)
    applied = time.time()
    mesh.apply([RULE[dialect]])
    change = SwitchTimes(applied, live=time.time())
    results = running.reach(running.progress() + IN_FLIGHT + N[dialect]).stop()
    records, sent = results.records, results.sent
    judge(switched("50/50 -> 100 % v0.2", records, change, old=["v0.1"], sent=sent))
    judge(
        switched("50/50 -> 100 % v0.1", records, change, old=["v0.2"], sent=sent),
        expect="fail",
        because="old answers after live",
    )
    later = sent_after(results, change.live).sample()
    judge(split("100 % v0.2", later, weights(RULE[dialect])))
    judge(zero_share("0 % v0.1", later, "v0.1", below=BELOW[dialect]))
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
