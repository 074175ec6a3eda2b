"""A short soak; `make soak` is the long one. On a mesh of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from e2e.payments.rules import ROOT
from e2e.support.processes import until
from meshproof.host import processes
from meshproof.pytest_plugin import Judge
from meshproof.report.evidence import ProofFolder
from soak.plan import MSGD, Action, plan
from soak.run import Soak, project

SEED, SECONDS = 1, 25
pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about local processes"
    ),
]


def test_nothing_is_lost_and_nothing_is_left(evidence: ProofFolder, judge: Judge) -> None:
    """The seed's plan has every kind of change, and kills of svca, svcb and msgd."""
    own = ProofFolder(evidence.folder, "soak::short")
    soaked = Soak(plan(SEED, SECONDS), own, print, project=project()).run()
    for verdict in soaked.verdicts:
        judge(verdict)


def test_a_msgd_that_keeps_duplicates_is_found_out(evidence: ProofFolder, judge: Judge) -> None:
    """It is paused for longer than a try takes: what it then accepts was sent again."""
    pause = Action(0.5, "fault", "pause", MSGD, hold=1.5)
    actions = [replace(pause, at=pause.at + 3 * n) for n in range(2)]
    own = ProofFolder(evidence.folder, "soak::doubling")
    soaked = Soak(actions, own, print, project=project(DROP_DUPLICATES="off")).run()
    for verdict in soaked.verdicts:
        if verdict.name == "messages":
            judge(verdict, expect="fail", because="in msgd's store more than once")
        else:
            judge(verdict)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_it_in_the_middle_finds_nothing_left(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "soak", "--seconds", "60", "--seed", "3", "--users", "1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert any("actions under the load" in line for line in process.stdout)
            marked = processes.find_marked()
            (run_id,) = {p.run_id for p in marked if owner(p.run_id) == process.pid}
            process.send_signal(number)
            _, errors = process.communicate(timeout=300)
        finally:
            process.kill()
    assert (process.returncode, errors) == (
        130,
        "interrupted; everything is ended, nothing is judged\n",
    )
    until(lambda: not processes.find_run(run_id), "no process stays")


def owner(run_id: str) -> int:
    """The id of the process that a run id names, in base 36."""
    return int(run_id.partition("-")[0], 36)
