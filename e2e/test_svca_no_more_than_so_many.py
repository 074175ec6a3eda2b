"""Limits on connections and pending requests keep the goodput at five times the capacity; without
them every answer comes too late."""

from __future__ import annotations

import pytest

from e2e.payments.overload import (
    judge_overload,
    measure_capacity,
    run_crowd,
    run_crowd_beside_regulars,
    slow_down,
)
from e2e.payments.rules import RULES
from e2e.support.processes import until
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.counts import exactly

pytestmark = [pytest.mark.nightly, pytest.mark.alone]


RULE = RULES / "svca_no_more_than_so_many.yaml"


def test_goodput_holds_under_five_times_the_load(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    slow_down(mesh)
    peak = measure_capacity(load, run)
    mesh.apply([RULE])
    overload = run_crowd_beside_regulars(load, run, peak)
    judge_overload("limited", overload, judge, 503)
    refused = sum(r.status == 503 for r in overload.crowd.records)
    log = [r for r in run.access_log(overload.crowd.run_id) if r.direction == "gateway"]
    overflown = sum(r.code == 503 and r.flags == "UO" for r in log)
    judge(exactly("limited: by the gateway (UO)", refused, {"UO": overflown}, expected=refused))


def test_without_limits_it_collapses(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    slow_down(mesh)
    try:
        overload = run_crowd(load, run, measure_capacity(load, run))
        judge(
            overload.holds("unlimited: goodput"),
            expect="fail",
            because=r"\d+\.\d a second were served",
        )
    finally:
        _empty(mesh)


def _empty(mesh: Mesh) -> None:
    """End svca's work for payers who have given up."""
    restarts = _svca(mesh)[0]
    mesh.fault("kill", "svca")
    until(lambda: _svca(mesh)[0] > restarts and _svca(mesh)[1], "svca is back")


def _svca(mesh: Mesh) -> tuple[int, bool]:
    return next((r.restarts, r.ready) for r in mesh.status().replicas if r.workload == "svca")
