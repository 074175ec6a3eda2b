"""svcb is down: without a budget each call asks it five times, with one hardly more than once."""

from __future__ import annotations

import pytest
import yaml

from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments, documents
from meshproof.mesh import AccessRecord, Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.counts import exactly
from meshproof.verdicts.verdict import Verdict, conclude

pytestmark = [pytest.mark.nightly, pytest.mark.alone]


RULE = RULES / "svcb_retries_on_a_budget.yaml"
N = 200
USERS = 16
DOWN = {"FAIL_PERCENT": "100", "DELAY_MS": "50"}
"""Long enough that many are in flight at once, which is what a budget counts."""
MOST = 1.5
"""Attempts a call: 1.25 where a fifth of what is under way may be retries, and the three more."""


def attempts(log: list[AccessRecord]) -> list[int]:
    """The attempts of each call that svca's sidecar sent to svcb."""
    return [r.attempts for r in log if r.direction == "outbound" and r.authority == "svcb"]


def attempts_verdict(name: str, tries: list[int]) -> Verdict:
    """svcb was asked ``MOST`` times a call at most. Counted, not drawn: no alpha."""
    total, calls = sum(tries), len(tries)
    problems = []
    if calls != N:
        problems.append(f"{calls} calls are in the log; wanted {N}")
    if total > MOST * calls:
        problems.append(f"{total} attempts for {calls} calls; wanted {MOST:g} a call at most")
    return conclude(
        name,
        calls,
        {"calls": calls, "attempts": total, "tried again": sum(t > 1 for t in tries)},
        problems,
        wanted=f"at most {MOST:g} attempts a call",
        found=f"{total} attempts for {calls} calls",
        allowed=f"{MOST:g} a call",
        figures={"a_call": total / calls if calls else 0.0},
    )


def test_a_svcb_that_is_down_is_not_asked_five_times(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    mesh.apply([Source("svcb is down", deployments("svcb", DOWN))])
    retries, _budget = documents(RULE)
    mesh.apply([Source("retries, no budget", yaml.safe_dump(retries))])
    load(requests=N, users=USERS).wait()
    tries = attempts(run.access_log())
    judge(exactly("no budget", N, {"five attempts": tries.count(5)}, expected=N))
    judge(
        attempts_verdict("no budget: attempts", tries),
        expect="fail",
        because=rf"{5 * N} attempts for {N} calls",
    )
    mesh.apply([RULE])
    load(requests=N, users=USERS, run_id=run.new()).wait()
    verdict = judge(attempts_verdict("budget: attempts", attempts(run.access_log(run.ids[-1]))))
    assert verdict.counts["tried again"] > 0, "nothing was tried again: the budget was not needed"
