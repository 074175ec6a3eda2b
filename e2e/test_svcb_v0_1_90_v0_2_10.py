"""The canary: a tenth of the calls to svcb go to v0.2, and not a fifth."""

from __future__ import annotations

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, weights
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.binomial import sample_size
from meshproof.verdicts.split import Errors, split

RULE = RULES / "svcb_v0_1_90_v0_2_10.yaml"


def test_a_tenth_goes_to_the_canary(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    expected = weights(RULE)
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    n = max(sample_size(w / sum(expected.values()), 0.05) for w in expected.values())
    results = load(requests=n).wait()
    judge(split("90/10", results.sample(), expected))
    judge(
        split("80/20", results.sample(), {"v0.1": 80, "v0.2": 20}, errors=Errors(shift=0.10)),
        expect="fail",
        because=r"answered \d+ of \d+; allowed",
    )
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
