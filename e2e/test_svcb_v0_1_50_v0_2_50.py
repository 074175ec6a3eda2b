"""Half of the calls to svcb go to each version; and the verdict tells 60/40 from that."""

from __future__ import annotations

import pytest

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, V1ALPHA2, weights
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.binomial import sample_size
from meshproof.verdicts.split import Errors, split

RULE = {
    "v1": RULES / "svcb_v0_1_50_v0_2_50.yaml",
    "v1alpha2": V1ALPHA2 / "route-rules-svcb-v0.2-50.yaml",
}
CONTROL = RULES / "svcb_v0_1_60_v0_2_40.yaml"
ERRORS = {"v1": Errors(shift=0.05), "v1alpha2": Errors(shift=0.10)}
"""n = 5,240 and 1,300. The old dialect is lowered to the same route, so it gets the coarser one."""
OFF = Errors(shift=0.10, power=1 - 1e-7)
"""n = 2,540: a split that is 10 points off passes once in ten million. A control may not depend
on luck."""


@pytest.mark.parametrize("dialect", RULE)
def test_half_of_the_calls_go_to_each(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, dialect: str
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS[dialect], RULE[dialect]])
    results = load(requests=sample_size(0.5, ERRORS[dialect].shift)).wait()
    judge(split("50/50", results.sample(), weights(RULE[dialect]), errors=ERRORS[dialect]))
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))


def test_the_same_verdict_refuses_60_40(mesh: Mesh, load: StartLoad, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], CONTROL])
    results = load(requests=sample_size(0.5, OFF.shift, min_power=OFF.power)).wait()
    judge(
        split("50/50 on a 60/40 rule", results.sample(), weights(RULE["v1"]), errors=OFF),
        expect="fail",
        because=r"answered \d+ of \d+; allowed",
    )
    errors = Errors(shift=OFF.shift)
    judge(split("60/40 on a 60/40 rule", results.sample(), weights(CONTROL), errors=errors))
