"""Splits: what passes, and each thing that must not."""

from __future__ import annotations

import random

import pytest

from meshproof.verdicts.sample import Sample
from meshproof.verdicts.split import Errors, split
from meshproof.verdicts.verdict import VerdictFailed

HALF = {"v0.1": 50, "v0.2": 50}


def sample(failed: int = 0, **counts: int) -> Sample:
    named = {name.replace("_", "."): count for name, count in counts.items()}
    return Sample(named, failed, sum(named.values()) + failed)


def draw(n: int, share: float, seed: int) -> Sample:
    rng = random.Random(seed)
    sequence = tuple("v0.1" if rng.random() < share else "v0.2" for _ in range(n))
    counts = {version: sequence.count(version) for version in ("v0.1", "v0.2")}
    return Sample(counts, 0, n, sequence)


def test_an_even_split_passes_and_states_its_figures() -> None:
    verdict = split("half", sample(v0_1=2600, v0_2=2640), HALF).require()
    assert verdict.n == 5240
    assert verdict.counts == {"v0.1": 2600, "v0.2": 2640}
    assert verdict.figures["alpha"] == 1e-6
    assert verdict.figures["power"] == pytest.approx(0.9905, abs=1e-4)
    assert verdict.figures["alternative"] == "5 points off"
    assert verdict.figures["p_value"] == pytest.approx(0.59, abs=0.02)
    low, high = verdict.pair("interval_v0.1")
    assert low < 2600 / 5240 < high
    assert verdict.allowed == "v0.1 2443..2797, v0.2 2443..2797"


@pytest.mark.parametrize("first", [2443, 2797])
def test_the_edges_of_the_region_pass(first: int) -> None:
    assert split("half", sample(v0_1=first, v0_2=5240 - first), HALF).passed


@pytest.mark.parametrize("first", [2442, 2798, 3144, 0, 5240])
def test_a_share_off_fails(first: int) -> None:
    verdict = split("half", sample(v0_1=first, v0_2=5240 - first), HALF)
    assert not verdict.passed
    with pytest.raises(VerdictFailed, match=r"allowed 2443\.\.2797") as failed:
        verdict.require()
    assert failed.value.verdict is verdict
    assert f"v0.1={first}" in str(failed.value)


def test_weights_may_be_any_scale() -> None:
    assert split("half", sample(v0_1=2600, v0_2=2640), {"v0.1": 1, "v0.2": 1}).passed


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (Sample({}, 0, 0), "no evidence"),
        (Sample({"v0.1": 0, "v0.2": 0}, 5, 5), "no evidence"),
        (sample(failed=1, v0_1=2600, v0_2=2640), "1 requests failed; allowed 0"),
        (Sample({"v0.1": 2600, "v0.2": 2640}, 0, 5241), "unaccounted for"),
        (sample(v0_1=2600, v0_2=2640, v0_3=1), "1 answers from 'v0.3'"),
        (sample(v0_1=500, v0_2=500), "which takes n=5240"),
        (Sample({"v0.1": 2600, "v0.2": 2640}, 0, 5240, ("v0.1",)), "sequence has 1 of 5240"),
    ],
)
def test_what_is_no_evidence_fails(bad: Sample, why: str) -> None:
    verdict = split("half", bad, HALF)
    assert not verdict.passed
    assert why in verdict.sentence


def test_failures_that_are_allowed_are_still_reported() -> None:
    verdict = split("half", sample(failed=3, v0_1=2600, v0_2=2640), HALF, failed_allowed=3)
    assert verdict.passed
    assert verdict.figures["failed"] == 3


def test_a_hundred_percent_is_exact() -> None:
    weights = {"v0.1": 0, "v0.2": 100}
    verdict = split("all", sample(v0_1=0, v0_2=3000), weights).require()
    assert verdict.figures["upper_bound_v0.1"] == pytest.approx(0.0046, abs=1e-4)
    failing = split("all", sample(v0_1=1, v0_2=2999), weights)
    assert "v0.1 answered 1 of 3000; wanted exactly 0" in failing.problems
    assert not split("all", sample(v0_2=2999, v0_9=1), {"v0.2": 100}).passed


def test_three_versions_share_alpha() -> None:
    weights = {"a": 80, "b": 10, "c": 10}
    verdict = split("three", sample(a=4000, b=520, c=480), weights).require()
    assert verdict.figures["alpha"] == 1e-6
    off = split("three", sample(a=4000, b=700, c=300), weights)
    assert {p.split()[0] for p in off.problems} == {"b", "c"}


def test_one_version_missing_of_three_fails() -> None:
    assert not split("three", sample(a=4400, b=600), {"a": 80, "b": 10, "c": 10}).passed


def test_independent_draws_pass_and_blocks_fail() -> None:
    good = split("half", draw(5240, 0.5, seed=7), HALF).require()
    assert abs(good.number("runs_z")) < 4
    blocks = ("v0.1",) * 2620 + ("v0.2",) * 2620
    pinned = split("half", Sample({"v0.1": 2620, "v0.2": 2620}, 0, 5240, blocks), HALF)
    assert "answers come in blocks" in pinned.sentence


def test_alternation_is_reported_and_not_refused() -> None:
    turns = ("v0.1", "v0.2") * 2620
    verdict = split("half", Sample({"v0.1": 2620, "v0.2": 2620}, 0, 5240, turns), HALF)
    assert verdict.passed
    assert verdict.number("runs_z") > 50


def test_sixty_forty_fails_the_even_verdict_nearly_always() -> None:
    rejected = sum(
        not split("control", draw(1300, 0.6, seed), HALF, errors=Errors(shift=0.1)).passed
        for seed in range(100)
    )
    assert rejected >= 95  # power 99 %; 100 fixed seeds


def test_a_right_split_is_not_refused() -> None:
    for seed in range(100):
        split("half", draw(1300, 0.5, seed), HALF, errors=Errors(shift=0.1)).require()


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": -1, "b": 2}])
def test_weights_that_are_no_shares_are_an_error(weights: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="no shares"):
        split("bad", sample(a=10), weights)
