"""The comparisons agree with scipy's own, and know what no evidence is."""

from __future__ import annotations

import random

import pytest
from scipy.stats import fisher_exact, mannwhitneyu

from meshproof.release.compare import Calls, most_excess, p_fails_more, p_faster, p_slower


@pytest.mark.parametrize(
    ("old", "new"),
    [((990, 10), (5, 5)), ((100, 0), (10, 1)), ((3, 40), (2, 1)), ((50, 50), (50, 50)),
     ((7, 0), (9, 0)), ((0, 4), (0, 9))],
)  # fmt: skip
def test_failures_are_compared_by_fishers_exact_test(
    old: tuple[int, int], new: tuple[int, int]
) -> None:
    def calls(good: int, failed: int) -> Calls:
        return Calls([1.0] * good, failed)

    expected = fisher_exact([[new[1], new[0]], [old[1], old[0]]], alternative="greater").pvalue
    assert p_fails_more(calls(*old), calls(*new)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shift", [0, 10, 50])
def test_waits_are_compared_by_the_mann_whitney_test_of_a_shift(shift: int) -> None:
    draw = random.Random(5)
    old = [draw.gauss(100, 15) for _ in range(300)]
    new = [draw.gauss(112, 15) for _ in range(60)]
    moved = [wait - shift for wait in new]
    for alternative, p in (("greater", p_slower), ("less", p_faster)):
        expected = mannwhitneyu(
            moved, old, alternative=alternative, method="asymptotic", use_continuity=False
        ).pvalue
        assert p(Calls(old), Calls(new), shift) == pytest.approx(expected, rel=1e-6)


def test_ties_count_half() -> None:
    assert p_slower(Calls([20] * 50), Calls([30] * 50), 10) == pytest.approx(0.5)


def test_the_largest_excess_is_near_the_truth_and_above_it() -> None:
    old, new = Calls([1.0] * 9900, 100), Calls([1.0] * 970, 30)  # 1 % and 3 %
    assert 0.02 < most_excess(old, new, 1e-3) < 0.045
    assert most_excess(old, new, 1e-6) > most_excess(old, new, 1e-3)


def test_without_calls_nothing_is_shown_and_nothing_excluded() -> None:
    some, none = Calls([1.0] * 9, 1), Calls()
    for old, new in ((some, none), (none, some)):
        assert p_fails_more(old, new) == 1
        assert most_excess(old, new, 0.01) == 1
        assert p_slower(old, new, 0) == p_faster(old, new, 1e9) == 0.5
