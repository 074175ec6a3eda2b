"""The arithmetic, against scipy.stats and against the published table of sizes."""

from __future__ import annotations

import pytest

from meshproof.verdicts import binomial

TABLE = [
    # share, shift, alpha, n, lowest and highest accepted: reference table, power 99 %
    (0.5, 0.15, 1e-6, 580, 231, 349),
    (0.5, 0.10, 1e-3, 800, 354, 446),
    (0.5, 0.10, 1e-6, 1300, 562, 738),
    (0.5, 0.05, 1e-3, 3160, 1488, 1672),
    (0.5, 0.05, 1e-6, 5240, 2443, 2797),
    (0.9, 0.05, 1e-3, 1380, 1204, 1277),
    (0.9, 0.05, 1e-6, 2240, 1944, 2082),
]


@pytest.mark.parametrize("row", TABLE)
def test_sizes_and_regions_of_the_table(row: tuple[float, float, float, int, int, int]) -> None:
    share, shift, alpha, n, low, high = row
    assert binomial.sample_size(share, shift, alpha, 0.99) == n
    assert binomial.acceptance(n, share, alpha) == (low, high)
    assert binomial.power_of_shift(n, share, shift, alpha) >= 0.99
    assert binomial.power_of_shift(n - 20, share, shift, alpha) < 0.99


@pytest.mark.parametrize(
    ("k", "n", "p"), [(0, 10, 0.3), (10, 10, 0.3), (3, 10, 0.3), (470, 900, 0.5)]
)
def test_tails_agree_with_scipy_stats(k: int, n: int, p: float) -> None:
    from scipy.stats import binomtest

    assert binomial.at_most(k, n, p) == pytest.approx(
        binomtest(k, n, p, alternative="less").pvalue, rel=1e-9
    )
    assert binomial.at_least(k, n, p) == pytest.approx(
        binomtest(k, n, p, alternative="greater").pvalue, rel=1e-9
    )
    if p == 0.5:  # symmetric: both ways of being two-sided are one
        assert binomial.p_value(k, n, p) == pytest.approx(binomtest(k, n, p).pvalue, rel=1e-9)


@pytest.mark.parametrize(("k", "n"), [(0, 300), (300, 300), (17, 300)])
def test_interval_is_clopper_pearson(k: int, n: int) -> None:
    from scipy.stats import binomtest

    expected = binomtest(k, n).proportion_ci(confidence_level=0.95, method="exact")
    assert binomial.interval(k, n, 0.95) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("k", [0, 1, 40, 50, 63, 99, 100])
def test_the_test_and_its_interval_agree(k: int) -> None:
    low, high = binomial.interval(k, 100, 0.999)
    assert (binomial.p_value(k, 100, 0.5) > 0.001) == (low < 0.5 < high)
    accepted_low, accepted_high = binomial.acceptance(100, 0.5, 0.001)
    assert (binomial.p_value(k, 100, 0.5) > 0.001) == (accepted_low <= k <= accepted_high)


@pytest.mark.parametrize(
    ("n", "confidence", "bound"), [(300, 0.95, 0.01), (690, 0.999, 0.01), (3000, 0.95, 0.001)]
)
def test_zero_buys_the_bound_of_the_table(n: int, confidence: float, bound: float) -> None:
    got = binomial.upper_bound(0, n, confidence)
    assert 0.98 * bound < got < 1.005 * bound


def test_a_region_may_be_everything_or_end_at_an_edge() -> None:
    assert binomial.acceptance(3, 0.5, 1e-6) == (0, 3)
    assert binomial.acceptance(20, 0.99, 1e-3)[1] == 20


@pytest.mark.parametrize(
    ("share", "shift"), [(0.5, 0.6), (0.5, 0.0), (0.0, 0.05), (1.0, 0.05), (0.5, -0.1)]
)
def test_a_shift_that_no_share_has_is_refused(share: float, shift: float) -> None:
    with pytest.raises(ValueError, match="smaller shift"):
        binomial.sample_size(share, shift)


def test_a_shift_too_small_to_catch_is_refused() -> None:
    with pytest.raises(ValueError, match="requests"):
        binomial.sample_size(0.5, 0.0001)
