"""Calls on behalf of the end user "tester" go to v0.2 of svcb, all others to v0.1."""

from __future__ import annotations

import pytest

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.counts import zero_share

RULE = RULES / "svcb_by_header.yaml"
N = 350
"""0 of 350 is below 2 % at confidence 99.9 %."""


@pytest.mark.parametrize("user", ["tester", "somebody-else", ""])
def test_the_end_user_decides(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, user: str
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    other = "v0.1" if user == "tester" else "v0.2"
    results = load(requests=N, headers={"end-user": user} if user else {}).wait()
    judge(zero_share(f"{other} for {user or 'no user'}", results.sample(), other, below=0.02))
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
