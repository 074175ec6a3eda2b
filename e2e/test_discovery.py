"""Replicas join, leave and die under load: each gets its share, no request fails, and the figures
say how long it took until callers knew."""

from __future__ import annotations

import time
from functools import partial

import pytest

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from e2e.support.processes import until
from e2e.support.replicas import (
    began_at,
    calls_between,
    meetings,
    replica_names,
    sample_of,
    upstream_address,
    version_that_answers,
)
from meshproof.mesh import Capability, Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.binomial import sample_size
from meshproof.verdicts.counts import exactly
from meshproof.verdicts.recovery import ENOUGH, fails_over, longest_outage
from meshproof.verdicts.split import Errors, split

pytestmark = pytest.mark.long


ROUND_ROBIN = RULES / "svcb_round_robin.yaml"
RETRIES = RULES / "svcb_retries.yaml"
ERRORS = Errors(shift=0.15)
REPLICAS = 4
"""Of svcb: three of v0.1 and one of v0.2."""
N = sample_size(1 / REPLICAS, ERRORS.shift, ERRORS.alpha / REPLICAS)


def test_replicas_join_take_their_share_and_leave(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], ROUND_ROBIN])
    before = set(_svcb(mesh))
    running = load().reach(100)
    scaled = time.time()
    mesh.scale("svcb-v0.1", 3)
    live, names = time.time(), _svcb(mesh)
    running.reach(running.progress() + N + 50)
    leaves = time.time()
    mesh.scale("svcb-v0.1", 1)
    ended = time.time()
    removed = set(names) - set(_svcb(mesh))
    results = running.reach(running.progress() + 200).stop()
    calls = calls_between(run.access_log(), "svca", "svcb")
    joined = [r for r in calls if upstream_address(r) not in before]
    during = [r for r in calls if live < began_at(r) < leaves]
    even = dict.fromkeys(names.values(), 1)
    judge(split("a quarter each", sample_of(during, names), even, errors=ERRORS))
    as_before = {name: 1 for at, name in names.items() if at in before}
    judge(
        split("none joined", sample_of(during, names), as_before, errors=Errors(shift=0.2)),
        expect="fail",
        because=r"which no weight names|answered \d+ of \d+; allowed",
    )
    after = [r for r in calls if began_at(r) > ended]
    judge(
        exactly(
            "after they left",
            len(after),
            {"to those that left": sum(upstream_address(r) in removed for r in after)},
            expected=0,
            figures={
                "scale_to_ready_s": live - scaled,
                "scale_to_first_request_s": min(began_at(r) for r in joined) - scaled,
                "scale_to_last_request_s": max(
                    began_at(r) for r in calls if upstream_address(r) in removed
                )
                - leaves,
            },
        )
    )
    judge(no_failures("1 -> 3 -> 1", results.records, run.access_log(), sent=results.sent))


@pytest.mark.parametrize("part", ["app", "sidecar"])
def test_a_killed_replica_is_left_out_and_taken_back(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, part: str
) -> None:
    if part == "sidecar" and Capability.KILL_SIDECAR not in mesh.capabilities:
        pytest.skip("to kill a sidecar alone needs the nodes of a kind cluster")
    mesh.apply([EGRESS_BY_ADDRESS["v1"], ROUND_ROBIN, RETRIES])
    victim, other = (_replica(mesh, f"svcb-v0.{version}") for version in (1, 2))
    running = load().reach(150)
    kill_until_missed(mesh, run, victim, part)
    until(lambda: version_that_answers(mesh) == "v0.1", "it is called again")
    results = running.reach(running.progress() + 200).stop()
    gateway = [r for r in run.access_log() if r.direction == "gateway"]
    judge(no_failures(f"{part} killed: payers", results.records, gateway, sent=results.sent))
    if mesh.status().kind != "embedded":
        return  # the kubelet restarts a container before Kubernetes takes its pod out of service
    log = run.access_log()
    judge(fails_over(f"{part} killed", meetings(log, "svca", "svcb", victim)))
    judge(
        fails_over(f"{part} killed: the other one", meetings(log, "svca", "svcb", other)),
        expect="fail",
        because="in a row were answered by others while it was left out",
    )


def kill_until_missed(mesh: Mesh, run: Run, victim: tuple[str, str], part: str) -> None:
    """Kill a replica, and again where it was back before enough calls had to do without it: each
    time the mesh waits longer until it starts the replica again."""
    outage = 0
    while outage < ENOUGH:
        restarts, _ = _state(mesh, victim[0])
        mesh.fault("kill", "svcb-v0.1", part=part, replica=victim[0])
        until(partial(_restarted_since, mesh, victim[0], restarts), "its end is noticed")
        until(lambda: _state(mesh, victim[0])[1], "it is ready again")
        if mesh.status().kind != "embedded":
            return
        until(lambda: version_that_answers(mesh) == "v0.1", "it is called again")
        outage = longest_outage(meetings(mesh.access_log(run.id), "svca", "svcb", victim))


def _svcb(mesh: Mesh) -> dict[str, str]:
    """Address -> replica, of svcb only."""
    return {at: name for at, name in replica_names(mesh).items() if name.startswith("svcb")}


def _replica(mesh: Mesh, workload: str) -> tuple[str, str]:
    """Name and address of a workload's only replica."""
    (replica,) = [(r.name, r.address) for r in mesh.status().replicas if r.workload == workload]
    return replica


def _restarted_since(mesh: Mesh, name: str, restarts: int) -> bool:
    return _state(mesh, name)[0] > restarts


def _state(mesh: Mesh, name: str) -> tuple[int, bool]:
    """A replica's restarts, and whether it is ready."""
    return next((r.restarts, r.ready) for r in mesh.status().replicas if r.name == name)
