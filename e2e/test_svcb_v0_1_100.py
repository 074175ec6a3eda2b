"""Blue-green: from v0.1 to v0.2 and back at once, under load, without a failed request."""

from __future__ import annotations

import time
from pathlib import Path

from e2e.payments.requests import no_failures, switched
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, weights
from e2e.support.periods import ended_before, sent_after
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.load import Load
from meshproof.verdicts.switch import SwitchTimes

BLUE = RULES / "svcb_v0_1_100.yaml"
GREEN = RULES / "svcb_v0_2_100.yaml"
EACH = 150
"""Requests that are recorded before each switch and after it."""


def test_there_and_back_is_not_noticed(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], BLUE])
    running = load().reach(EACH)
    to_green = _switch(mesh, running, GREEN)
    to_blue = _switch(mesh, running, BLUE)
    results = running.stop()
    first = ended_before(results, to_blue.applied)
    judge(
        switched(
            "v0.1 -> v0.2",
            first.records,
            to_green,
            old=_versions_without_weight(GREEN),
            sent=first.sent,
        )
    )
    second = sent_after(results, to_green.live)
    judge(
        switched(
            "v0.2 -> v0.1",
            second.records,
            to_blue,
            old=_versions_without_weight(BLUE),
            sent=second.sent,
        )
    )
    judge(
        switched(
            "v0.2 -> v0.2",
            second.records,
            to_blue,
            old=_versions_without_weight(GREEN),
            sent=second.sent,
        ),
        expect="fail",
        because="old answers after live|no answer of v0.1 before",
    )
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))


def _switch(mesh: Mesh, running: Load, rule: Path) -> SwitchTimes:
    applied = time.time()
    mesh.apply([rule])
    change = SwitchTimes(applied, live=time.time())
    running.reach(running.progress() + EACH)
    return change


def _versions_without_weight(rule: Path) -> list[str]:
    """The versions to which a rule sends nothing."""
    return [version for version, weight in weights(rule).items() if not weight]
