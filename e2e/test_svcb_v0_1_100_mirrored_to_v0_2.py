"""v0.1 answers everything, v0.2 sees a copy of everything, and no payer can tell.

A copy does all that the original does, so v0.2 notifies too: under the same message id, which msgd
drops. What has no such id would be done twice.
"""

from __future__ import annotations

import pytest

from e2e.payments import msgd
from e2e.payments.egress import allowed
from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments, weights
from e2e.support.processes import until
from meshproof.mesh import Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.counts import exactly, zero_share
from meshproof.verdicts.split import split

pytestmark = pytest.mark.long


RULE = RULES / "svcb_v0_1_100_mirrored_to_v0_2.yaml"
HALF = RULES / "svcb_v0_1_50_v0_2_50.yaml"
N = 350
"""0 of 350 is below 2 % at confidence 99.9 %."""


def copies(mesh: Mesh, run_id: str) -> int:
    """How many requests of a run reached v0.2."""
    log = mesh.access_log(run_id)
    return sum(r.direction == "inbound" and r.sidecar.startswith("svcb-v0.2") for r in log)


def test_v0_2_sees_a_copy_of_each(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    results = load(requests=N).wait()

    def arrived() -> bool:  # nobody waits for a copy: the last ones may be on their way
        stored = msgd.messages(mesh, run.id)
        return len(stored) + sum(int(m["duplicates"]) for m in stored) >= 2 * N

    until(arrived, f"{N} payments and {N} copies of them are in msgd, stored or dropped")
    judge(split("100 % v0.1", results.sample(), weights(RULE)))
    judge(zero_share("0 % v0.2", results.sample(), "v0.2", below=0.02))
    dropped = sum(m["duplicates"] for m in msgd.messages(mesh, run.id))
    judge(exactly("shadow", N, {"copies": copies(mesh, run.id), "dropped": dropped}, expected=N))
    judge(allowed("each once in msgd", results.records, msgd.message_ids(mesh, run.id)))
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))


def test_a_bad_shadow_hurts_nobody(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    bad = deployments("svcb", {"FAIL_PERCENT": "100", "DELAY_MS": "50"}, version="v0.2")
    mesh.apply([Source("a bad v0.2", bad)])
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    results = load(requests=100).wait()
    until(lambda: copies(mesh, run.id) >= 100, "v0.2 has seen a copy of each")
    judge(exactly("a bad shadow", 100, {"copies": copies(mesh, run.id)}, expected=100))
    gateway = [r for r in run.access_log() if r.direction == "gateway"]
    judge(no_failures("behind it", results.records, gateway, sent=results.sent))
    mesh.apply([HALF])
    run_id = run.new()
    hurt = load(requests=100, run_id=run_id).wait()
    judge(
        no_failures("the same v0.2 answers half", hurt.records, run.access_log(run_id), sent=100),
        expect="fail",
        because=r"not notified \(error\)|in access logs",
    )
