"""Without a rule both versions of svcb answer, and no other: the control for every 0 %."""

from __future__ import annotations

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.counts import present, zero_share

VERSIONS = ("v0.1", "v0.2")


def test_both_versions_answer(mesh: Mesh, run: Run, load: StartLoad, judge: Judge) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    results = load(requests=200).wait()
    judge(present("both versions answer", results.sample(), VERSIONS))
    judge(
        zero_share("0 % v0.1", results.sample(), "v0.1", below=0.05),
        expect="fail",
        because=r"v0\.1 answered \d+ of \d+; wanted exactly 0",
    )
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
