"""Half of the calls to svcb go to each version; and the verdict tells 60/40 from that."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, V1ALPHA2, weights
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.results import Results
from meshproof.verdicts.binomial import sample_size
from meshproof.verdicts.sequential_split import SequentialSplit
from meshproof.verdicts.split import Errors, split
from meshproof.verdicts.verdict import Verdict

RULE = {
    "v1": RULES / "svcb_v0_1_50_v0_2_50.yaml",
    "v1alpha2": V1ALPHA2 / "route-rules-svcb-v0.2-50.yaml",
}
CONTROL = RULES / "svcb_v0_1_60_v0_2_40.yaml"
ERRORS = {"v1": Errors(shift=0.05), "v1alpha2": Errors(shift=0.10)}
"""Some 1,400 and 370 requests when all is well, 5,240 and 1,300 where their number is fixed before.
The old dialect is lowered to the same route, so it gets the coarser one."""
OFF = Errors(shift=0.10, power=1 - 1e-7)
"""A split that is 10 points off passes once in ten million: a control may not depend on luck. Some
720 requests; 2,540 where their number is fixed before."""

Sampling = Callable[[str, StartLoad, Mapping[str, int], Errors], tuple[Results, Verdict]]
"""Sends the load that it takes, and judges it."""


def sample_until_decided(
    name: str, load: StartLoad, expected: Mapping[str, int], errors: Errors
) -> tuple[Results, Verdict]:
    plan = SequentialSplit(expected, errors)
    results = load(requests=plan.limit).until(plan.decides)
    return results, plan.judge(name, results.sample())


def sample_fixed(
    name: str, load: StartLoad, expected: Mapping[str, int], errors: Errors
) -> tuple[Results, Verdict]:
    results = load(requests=sample_size(0.5, errors.shift, min_power=errors.power)).wait()
    return results, split(name, results.sample(), expected, errors=errors)


@pytest.mark.parametrize("dialect", RULE)
def test_half_of_the_calls_go_to_each(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, dialect: str
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS[dialect], RULE[dialect]])
    expected = weights(RULE[dialect])
    results, verdict = sample_until_decided("50/50", load, expected, ERRORS[dialect])
    judge(verdict)
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))


@pytest.mark.parametrize(
    "sampling", [sample_until_decided, pytest.param(sample_fixed, marks=pytest.mark.nightly)]
)
def test_the_same_verdict_refuses_60_40(
    mesh: Mesh, load: StartLoad, judge: Judge, sampling: Sampling
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], CONTROL])
    _, wrong = sampling("50/50 on a 60/40 rule", load, weights(RULE["v1"]), OFF)
    judge(wrong, expect="fail", because=r"answered \d+ of \d+; allowed")
    errors = Errors(shift=OFF.shift)
    judge(sampling("60/40 on a 60/40 rule", load, weights(CONTROL), errors)[1])


@pytest.mark.nightly
def test_half_goes_to_each_of_a_number_that_is_fixed_before(
    mesh: Mesh, load: StartLoad, judge: Judge
) -> None:
    """What a release of this project is judged by."""
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE["v1"]])
    judge(sample_fixed("50/50", load, weights(RULE["v1"]), ERRORS["v1"])[1])
