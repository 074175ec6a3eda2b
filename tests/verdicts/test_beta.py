"""The incomplete beta function, against scipy's."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc, betaincinv

from meshproof.verdicts.beta import incomplete_beta, inverse_incomplete_beta

SHAPES = st.integers(1, 20_000)


@given(SHAPES, SHAPES, st.floats(1e-6, 1 - 1e-6))
def test_it_is_scipys(a: int, b: int, x: float) -> None:
    expected = float(betainc(a, b, x))
    if expected > 1e-250:
        assert incomplete_beta(a, b, x) == pytest.approx(expected, rel=1e-7)


@given(SHAPES, SHAPES, st.sampled_from([1e-7, 1e-6, 0.001, 0.025, 0.5, 0.975, 0.999, 1 - 1e-6]))
def test_its_inverse_is_scipys(a: int, b: int, p: float) -> None:
    assert inverse_incomplete_beta(a, b, p) == pytest.approx(float(betaincinv(a, b, p)), rel=1e-7)


@pytest.mark.parametrize(("x", "value"), [(0.0, 0.0), (1.0, 1.0), (-0.1, 0.0), (1.1, 1.0)])
def test_its_ends(x: float, value: float) -> None:
    assert incomplete_beta(3, 4, x) == value
    assert inverse_incomplete_beta(3, 4, x) == value


def test_one_and_one_is_uniform() -> None:
    assert incomplete_beta(1, 1, 0.3) == pytest.approx(0.3)


def test_small_tails_keep_their_precision() -> None:
    """P(X >= 1000 of 1000) for p = 0.5 is 2^-1000."""
    assert math.log2(incomplete_beta(1000, 1, 0.5)) == pytest.approx(-1000)
