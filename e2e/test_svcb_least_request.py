"""A slow replica gets less under least request, and as much as any other under round robin."""

from __future__ import annotations

import pytest

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments
from meshproof.mesh import Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.binomial import sample_size
from meshproof.verdicts.counts import share_below
from meshproof.verdicts.split import Errors, split

pytestmark = [pytest.mark.long, pytest.mark.alone]


RULE = RULES / "svcb_least_request.yaml"
CONTROL = RULES / "svcb_round_robin.yaml"
SLOW = {"DELAY_MS": "400"}
"""Far more than a busy machine takes for a call."""
ERRORS = Errors(shift=0.15)
N = sample_size(0.5, ERRORS.shift)
EVEN = {"v0.1": 1, "v0.2": 1}
LESS = 0.4
"""Of two draws with replacement both are the slow one in a quarter of the cases; it gets that, and
those in which the other happens to have as many under way."""


def test_a_slow_replica_gets_less(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    mesh.apply([Source("a slow v0.2", deployments("svcb", SLOW, version="v0.2"))])
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    results = load(requests=N).wait()
    slow = results.sample().counts.get("v0.2", 0)
    judge(share_below("least request", slow, N, below=LESS, what="to the slow v0.2"))
    judge(
        split("least request is even", results.sample(), EVEN, errors=ERRORS),
        expect="fail",
        because=r"answered \d+ of \d+; allowed",
    )
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
    mesh.apply([CONTROL])
    turned = load(requests=N, run_id=run.new()).wait()
    judge(split("round robin is even", turned.sample(), EVEN, errors=ERRORS))
    slow = turned.sample().counts.get("v0.2", 0)
    judge(
        share_below("round robin", slow, N, below=LESS, what="to the slow v0.2"),
        expect="fail",
        because="to the slow v0.2: that is surely below",
    )
