"""All calls for one end user meet one replica of svcb; without the rule they meet several."""

from __future__ import annotations

import pytest

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from e2e.support.replicas import calls_between, replica_names, sample_of
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.counts import exactly

pytestmark = pytest.mark.long


RULE = RULES / "svcb_sticks_to_the_end_user.yaml"
USERS = ("anne", "bo", "chen", "dora")
MORE_USERS = 20
N = 40
"""Requests of one user. By chance all meet the same of three replicas less than once in 10^18."""


def test_one_user_meets_one_replica(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    mesh.scale("svcb-v0.1", 2)
    favourites = _favourites(mesh, run, load, judge, "without the rule")
    judge(
        exactly("without the rule", N, favourites, expected=N),
        expect="fail",
        because=rf"is \d+ of {N}; wanted {N}",
    )
    mesh.apply([RULE])
    favourites = _favourites(mesh, run, load, judge, "with the rule")
    judge(exactly("with the rule", N, favourites, expected=N))
    assert len(_met_by_many(mesh, run)) > 1, "one for all, by chance: once in 10^9"


def _favourites(mesh: Mesh, run: Run, load: StartLoad, judge: Judge, phase: str) -> dict[str, int]:
    """``USER met REPLICA`` -> how often, of the replica that met each user most often."""
    replicas, favourites = replica_names(mesh), {}
    runs = {user: run.new() for user in USERS}
    loads = {
        user: load(requests=N, users=2, run_id=run_id, headers={"end-user": user})
        for user, run_id in runs.items()
    }
    for user, running in loads.items():
        results, log = running.wait(), run.access_log(runs[user])
        judge(no_failures(f"{phase}: {user}", results.records, log, sent=results.sent))
        counts = sample_of(calls_between(log, "svca", "svcb"), replicas).counts
        best = max(counts, key=lambda name: counts[name])
        favourites[f"{user} met {best}"] = counts[best]
    return favourites


def _met_by_many(mesh: Mesh, run: Run) -> set[str]:
    """The replicas that other users meet, one call each: not all users stick to the same one."""
    run_id = run.new()
    for number in range(MORE_USERS):
        headers = [("x-run-id", run_id), ("end-user", f"user-{number}")]
        assert mesh.curl("svca", "http://svcb/healthz", headers=headers).status == 200
    return set(
        sample_of(calls_between(run.access_log(run_id), "svca", "svcb"), replica_names(mesh)).counts
    )
