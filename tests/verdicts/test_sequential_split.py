"""Splits that are judged until they are decided: what passes, and each thing that must not."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from meshproof.verdicts.sample import Sample
from meshproof.verdicts.sequential_split import SequentialSplit
from meshproof.verdicts.split import Errors

HALF = SequentialSplit({"v0.1": 50, "v0.2": 50})
COARSE = Errors(shift=0.1)


def draw(n: int, shares: dict[str, float], seed: int = 1) -> tuple[str, ...]:
    rng = random.Random(seed)
    return tuple(rng.choices(list(shares), list(shares.values()), k=n))


def sample(sequence: tuple[str, ...], failed: int = 0) -> Sample:
    return Sample(Counter(sequence), failed, len(sequence) + failed, sequence)


def send(plan: SequentialSplit, shares: dict[str, float], in_flight: int = 8) -> Sample:
    """As a load does: until the plan has enough, and then what is in flight."""
    sequence = draw(plan.limit, shares)
    ends = (n for n in range(1, len(sequence)) if plan.decides(Counter(sequence[:n])))
    return sample(sequence[: next(ends, plan.limit) + in_flight])


def test_an_even_split_passes_and_states_its_figures() -> None:
    verdict = HALF.judge("half", send(HALF, {"v0.1": 0.5, "v0.2": 0.5}))
    assert verdict.passed, verdict.explain()
    assert verdict.n == sum(verdict.counts.values()) < 5240
    assert verdict.figures["alpha"] == 1e-6
    assert verdict.figures["power"] == 0.99
    assert verdict.figures["alternative"] == "5 points off"
    assert verdict.figures["at_most"] == HALF.limit
    assert "runs_z" in verdict.figures
    assert verdict.wanted == "v0.1 50 %, v0.2 50 %"


def test_a_wrong_split_fails_and_says_what_was_allowed() -> None:
    verdict = HALF.judge("half", send(HALF, {"v0.1": 0.6, "v0.2": 0.4}))
    assert not verdict.passed
    [problem] = verdict.problems
    hits = verdict.counts["v0.1"]
    low, high = HALF._tests["v0.1"].allowed(verdict.n)
    assert problem == (f"v0.1 answered {hits} of {verdict.n}; allowed {low}..{high} (alpha 1e-06)")
    assert hits == high + 1
    assert verdict.allowed == f"v0.1 {low}..{high}"


def test_three_versions_are_tested_each() -> None:
    plan = SequentialSplit({"a": 50, "b": 30, "c": 20}, COARSE)
    assert plan.judge("right", send(plan, {"a": 0.5, "b": 0.3, "c": 0.2})).passed
    swapped = plan.judge("swapped", send(plan, {"a": 0.5, "b": 0.2, "c": 0.3}))
    assert "c answered" in swapped.problems[0] or "b answered" in swapped.problems[0]
    assert "alpha 3.33e-07" in swapped.problems[0]


def test_a_version_that_must_not_answer_decides_at_once() -> None:
    plan = SequentialSplit({"a": 50, "b": 50, "c": 0}, COARSE)
    for shares in ({"a": 0.5, "b": 0.49, "c": 0.01}, {"a": 0.5, "b": 0.49, "d": 0.01}):
        verdict = plan.judge("stranger", send(plan, shares))
        assert not verdict.passed
        assert verdict.n < 300
    assert verdict.problems[0].endswith("answers from 'd', which no weight names")
    late = sample((*send(plan, {"a": 0.5, "b": 0.5}).sequence, "c", "d"))
    problems = " ".join(plan.judge("after the decision", late).problems)
    assert "'d', which no weight names" in problems
    assert "'c'" in problems


def test_what_is_not_decided_does_not_pass() -> None:
    verdict = HALF.judge("half", sample(draw(300, {"v0.1": 0.5, "v0.2": 0.5})))
    assert verdict.problems == (f"undecided after 300 answers; at most {HALF.limit} are needed",)
    assert not HALF.judge("none", sample(())).passed
    without_order = Sample({"v0.1": 2600, "v0.2": 2640}, 0, 5240)
    problems = " ".join(HALF.judge("half", without_order).problems)
    assert "undecided after 0 answers" in problems


def test_failures_blocks_and_gaps_fail() -> None:
    right = send(HALF, {"v0.1": 0.5, "v0.2": 0.5})
    assert "2 requests failed" in HALF.judge("f", sample(right.sequence, failed=2)).problems[0]
    assert HALF.judge("f", sample(right.sequence, failed=2), failed_allowed=2).passed
    lost = Sample(right.counts, 0, right.sent + 1, right.sequence)
    assert "unaccounted for" in HALF.judge("lost", lost).problems[0]
    blocks = ("v0.1",) * 20 + ("v0.2",) * 20
    assert "in blocks" in " ".join(HALF.judge("pinned", sample(blocks * 60)).problems)


def test_one_version_alone_has_no_share_to_test() -> None:
    with pytest.raises(ValueError, match="nothing to test"):
        _ = SequentialSplit({"a": 100, "b": 0}).limit
    with pytest.raises(ValueError, match="are no shares"):
        _ = SequentialSplit({"a": 0}).limit
