"""svcb may call msgd; an intruder and svca may not, though the rule that allows it for all lets
them."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.payments import msgd
from e2e.payments.egress_phases import Phases
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from e2e.support.calls import N
from meshproof.errors import MeshproofError
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge
from meshproof.report.test_run import Run
from meshproof.verdicts.counts import exactly

RULE = RULES / "only_svcb_may_leave_for_msgd.yaml"
INTRUDER = Path(__file__).with_name("intruder.yaml")
URL = "http://10.100.35.27:9997/send?msg=x"


def send_to_msgd(mesh: Mesh, run: Run, workload: str) -> tuple[int, int]:
    """Of ``N`` messages that a workload sends directly to msgd: how many were acknowledged, and how
    many msgd holds. A refusal is 502, or in Istio a closed connection on such a port."""
    run_id, acknowledged = run.new(), 0
    for _ in range(N):
        try:
            answer = mesh.curl(workload, URL, headers=[("x-run-id", run_id)])
        except MeshproofError:
            continue
        acknowledged += answer.status == 200
    return acknowledged, len(msgd.message_ids(mesh, run_id))


def test_svcb_leaves_and_payments_are_notified(mesh: Mesh, phases: Phases) -> None:
    phases.blocked("no rule")
    mesh.apply([RULE])
    phases.allowed("svcb may")


@pytest.mark.parametrize("workload", ["intruder", "svca"])
def test_nobody_else_leaves(mesh: Mesh, run: Run, judge: Judge, workload: str) -> None:
    mesh.apply([INTRUDER, EGRESS_BY_ADDRESS["v1"]])
    acknowledged, stored = send_to_msgd(mesh, run, workload)
    open_to_all = exactly(
        f"open to all: {workload}", N, {"told": acknowledged, "stored": stored}, expected=N
    )
    judge(open_to_all)
    mesh.apply([RULE])
    acknowledged, stored = send_to_msgd(mesh, run, workload)
    judge(exactly(f"{workload} stays in", N, {"told": acknowledged, "stored": stored}, expected=0))
    judge(
        exactly(f"{workload} leaves", N, {"told": acknowledged, "stored": stored}, expected=N),
        expect="fail",
        because=rf"(told|stored) is 0 of {N}; wanted {N}",
    )
    acknowledged, stored = send_to_msgd(mesh, run, "svcb-v0.1")
    judge(exactly("svcb leaves", N, {"told": acknowledged, "stored": stored}, expected=N))
