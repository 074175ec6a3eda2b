"""The sequential test of a share keeps its error rates, ends early, and ends at all."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import islice
from statistics import mean

import pytest

from meshproof.verdicts import binomial
from meshproof.verdicts.sequential import RIGHT, UNDECIDED, WRONG, SequentialTest

HALF = SequentialTest(0.5, 0.05, alpha=1e-6, power=0.99)


def draws(share: float, seed: int) -> Iterator[bool]:
    rng = random.Random(seed)
    while True:
        yield rng.random() < share


def walks(test: SequentialTest, share: float, runs: int) -> list[tuple[str, int, int]]:
    return [test.walk(islice(draws(share, seed), test.limit)) for seed in range(runs)]


def divergence(p: float, q: float) -> float:
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))


@pytest.mark.parametrize("share", [0.5, 0.9, 0.02])
def test_a_right_share_is_taken(share: float) -> None:
    test = SequentialTest(share, 0.05, alpha=1e-6, power=0.99)
    assert {outcome for outcome, _, _ in walks(test, share, 200)} == {RIGHT}


def test_error_rates_are_bounds() -> None:
    """At rates that 2,000 runs can see: 5 % and 10 %. Accepted are counts that a true rate at the
    bound reaches with probability 1e-4 at least."""
    test = SequentialTest(0.5, 0.1, alpha=0.05, power=0.9)
    refused = sum(outcome == WRONG for outcome, _, _ in walks(test, 0.5, 2000))
    missed = sum(outcome == RIGHT for outcome, _, _ in walks(test, 0.6, 2000))
    assert refused > 0
    assert binomial.at_least(refused, 2000, 0.05) > 1e-4
    assert missed > 0
    assert binomial.at_least(missed, 2000, 0.1) > 1e-4


def test_a_right_share_takes_a_third_of_the_fixed_number() -> None:
    """Wald's expected number for one alternative, ln(1/b) / divergence, is 919; excluding both
    takes 1.5 times that."""
    one_sided = math.log(1 / 0.01) / divergence(0.5, 0.55)
    n = mean(n for _, n, _ in walks(HALF, 0.5, 300))
    assert one_sided < n < 1.6 * one_sided
    assert n < binomial.sample_size(0.5, 0.05) / 3


@pytest.mark.parametrize("share", [0.55, 0.6, 0.9, 1.0])
def test_a_wrong_share_is_refused_within_the_expected_number(share: float) -> None:
    gain = share * math.log(0.55 / 0.5) + (1 - share) * math.log(0.45 / 0.5)
    ends = walks(HALF, share, 100)
    assert sum(outcome == WRONG for outcome, _, _ in ends) >= 97
    assert mean(n for _, n, _ in ends) < 1.5 * math.log(1e6) / gain


def test_between_the_two_it_ends_at_the_limit_by_the_binomial_test() -> None:
    test = SequentialTest(0.5, 0.1, alpha=1e-6, power=0.99)
    ends = walks(test, 0.55, 300)
    assert UNDECIDED not in {outcome for outcome, _, _ in ends}
    assert {RIGHT, WRONG} == {outcome for outcome, _, _ in ends}
    low, high = binomial.acceptance(test.limit, 0.5, 0.1 * 1e-6)
    assert test.allowed(test.limit) == (low, high)
    assert test.decide(high, test.limit) == RIGHT
    assert test.decide(high + 1, test.limit) == WRONG


def test_the_allowed_region_is_where_it_is_not_refused() -> None:
    for n in (1, 100, 1000):
        low, high = HALF.allowed(n)
        assert HALF.decide(low, n) != WRONG
        assert HALF.decide(high, n) != WRONG
        assert low == 0 or HALF.decide(low - 1, n) == WRONG
        assert high == n or HALF.decide(high + 1, n) == WRONG


def test_an_alternative_of_none_is_excluded_by_one_answer() -> None:
    test = SequentialTest(0.1, 0.1, alpha=1e-6, power=0.99)
    assert test.decide(0, 100) == UNDECIDED  # so far it may be 0, and not 0.2
    assert test.decide(0, 145) == WRONG
    assert test.decide(1, 145) == RIGHT


def test_too_few_decide_nothing() -> None:
    assert HALF.walk([])[0] == UNDECIDED
    assert HALF.walk([True, False] * 50) == (UNDECIDED, 100, 50)


def test_a_shift_that_no_share_has_is_refused() -> None:
    with pytest.raises(ValueError, match="name a smaller shift"):
        _ = SequentialTest(0.5, 0.7, alpha=1e-6, power=0.99).limit
