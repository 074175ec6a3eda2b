"""The canary: a tenth of the calls to svcb go to v0.2, and not a fifth."""

from __future__ import annotations

import pytest

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, weights
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.sequential_split import SequentialSplit
from meshproof.verdicts.split import Errors

pytestmark = pytest.mark.proxy

RULE = RULES / "svcb_v0_1_90_v0_2_10.yaml"
FIFTH = SequentialSplit({"v0.1": 80, "v0.2": 20}, Errors(shift=0.10, power=1 - 1e-7))
"""The control: a canary of 10 % is taken for one of 20 % once in ten million."""


def test_a_tenth_goes_to_the_canary(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    tenth = SequentialSplit(weights(RULE))
    both = max(tenth.limit, FIFTH.limit)
    results = load(requests=both).until(
        lambda counts: tenth.decides(counts) and FIFTH.decides(counts)
    )
    judge(tenth.judge("90/10", results.sample()))
    judge(
        FIFTH.judge("80/20", results.sample()),
        expect="fail",
        because=r"answered \d+ of \d+; allowed",
    )
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
