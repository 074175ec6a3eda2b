"""Zero loss by force, in short; `make soak` is the long one. A mesh of its own, ended with it."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from meshproof.pytest_plugin import Judge
from meshproof.report.evidence import Evidence
from soak.plan import MSGD, Action, plan
from soak.run import Soak, project

SEED, SECONDS = 1, 25
pytestmark = pytest.mark.skipif(
    os.environ.get("MESH", "embedded") != "embedded", reason="about local processes"
)


def test_nothing_is_lost_and_nothing_is_left(evidence: Evidence, judge: Judge) -> None:
    """The seed's plan has every kind of change, and kills of svca, svcb and msgd."""
    own = Evidence(evidence.folder, "soak::short")
    soaked = Soak(plan(SEED, SECONDS), own, print, project=project()).run()
    for verdict in soaked.verdicts:
        judge(verdict)


def test_a_msgd_that_keeps_duplicates_is_found_out(evidence: Evidence, judge: Judge) -> None:
    """It is paused for longer than a try: what it then takes was sent again."""
    pause = Action(0.5, "fault", "pause", MSGD, hold=1.5)
    actions = [replace(pause, at=pause.at + 3 * n) for n in range(2)]
    own = Evidence(evidence.folder, "soak::doubling")
    soaked = Soak(actions, own, print, project=project(DROP_DUPLICATES="off")).run()
    for verdict in soaked.verdicts:
        if verdict.name == "messages":
            judge(verdict, expect="fail", because="in msgd's store more than once")
        else:
            judge(verdict)
