"""Under round robin every replica of svcb gets its even share, a slow one too."""

from __future__ import annotations

import pytest

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from e2e.support.replicas import calls_between, replica_names, sample_of
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.binomial import sample_size
from meshproof.verdicts.split import Errors, split

pytestmark = pytest.mark.long


RULE = RULES / "svcb_round_robin.yaml"
ERRORS = Errors(shift=0.1)
COARSE = Errors(shift=0.15)
REPLICAS = 3
N = sample_size(1 / REPLICAS, ERRORS.shift, ERRORS.alpha / REPLICAS)


def test_three_replicas_get_a_third_each(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    mesh.scale("svcb-v0.1", 2)
    replicas = {a: name for a, name in replica_names(mesh).items() if name.startswith("svcb")}
    assert len(replicas) == REPLICAS
    results = load(requests=N).wait()
    answers = sample_of(calls_between(run.access_log(), "svca", "svcb"), replicas)
    judge(split("a third each", answers, dict.fromkeys(replicas.values(), 1), errors=ERRORS))
    first, *others = replicas.values()
    judge(
        split("half for one", answers, {first: 2, **dict.fromkeys(others, 1)}, errors=COARSE),
        expect="fail",
        because=r"answered \d+ of \d+; allowed",
    )
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
