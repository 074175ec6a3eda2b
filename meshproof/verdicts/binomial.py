"""Exact binomial arithmetic: tail probabilities, acceptance region, power, intervals, sizes.

The two-sided test has equal tails: a count is rejected when either tail has at most alpha/2.
It is the test that the Clopper-Pearson interval inverts, so test and interval never disagree.
Tails are incomplete beta functions (``meshproof.verdicts.beta``); scipy's are the measure in tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from meshproof.verdicts.beta import incomplete_beta, inverse_incomplete_beta

SIZE_STEP = 20
"""Sample sizes are searched in steps of this: power is a sawtooth in n, not a curve."""
_SIZE_LIMIT = 10_000_000
_FAR = 0.05


def at_most(k: int, n: int, p: float) -> float:
    """P(X <= k) for X binomial(n, p)."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else incomplete_beta(n - k, k + 1, 1 - p)


def at_least(k: int, n: int, p: float) -> float:
    """P(X >= k) for X binomial(n, p)."""
    if k <= 0:
        return 1.0
    return 0.0 if k > n else incomplete_beta(k, n - k + 1, p)


def p_value(k: int, n: int, p: float) -> float:
    """Of the exact two-sided test with equal tails."""
    return min(1.0, 2 * min(at_most(k, n, p), at_least(k, n, p)))


def acceptance(n: int, p: float, alpha: float) -> tuple[int, int]:
    """Lowest and highest count that the two-sided test at ``alpha`` accepts."""
    low = _first(0, n, lambda k: at_most(k, n, p) > alpha / 2)
    high = _first(0, n, lambda k: at_least(k + 1, n, p) <= alpha / 2)
    return low, high


def power(n: int, p: float, true_p: float, alpha: float) -> float:
    """The probability that the test of ``p`` rejects when the truth is ``true_p``."""
    low, high = acceptance(n, p, alpha)
    return at_most(low - 1, n, true_p) + at_least(high + 1, n, true_p)


def power_of_shift(n: int, p: float, shift: float, alpha: float) -> float:
    """The lesser power against ``p - shift`` and ``p + shift``, of those that are in (0, 1).

    Raises ValueError when neither is: no share that far off exists.
    """
    others = [q for q in (p - shift, p + shift) if 0 <= q <= 1]
    if not 0 < p < 1 or shift <= 0 or not others:
        raise ValueError(f"no share is {shift:g} away from {p:g}; name a smaller shift")
    return min(power(n, p, q, alpha) for q in others)


@cache
def sample_size(p: float, shift: float, alpha: float = 1e-6, min_power: float = 0.99) -> int:
    """Requests needed to catch a shift of ``shift`` (0.05 is 5 points) from the share ``p``.

    The smallest multiple of ``SIZE_STEP`` whose power reaches ``min_power``. Raises ValueError
    for a shift that no share has, and for one so small that millions would not do.
    """
    if not (0 < alpha < 1 and 0 < min_power < 1):
        raise ValueError(f"alpha {alpha:g} and power {min_power:g} must be between 0 and 1")
    coarse = SIZE_STEP
    while power_of_shift(coarse, p, shift, alpha) < min_power:
        coarse *= 2
        if coarse > _SIZE_LIMIT:
            raise ValueError(f"a shift of {shift:g} from {p:g} takes over {_SIZE_LIMIT} requests")
    n = max(SIZE_STEP, coarse // 2)  # at half of it the power was too low: the answer is above
    while (reached := power_of_shift(n, p, shift, alpha)) < min_power:
        n += _stride(n, min_power - reached)
    return n


def _stride(n: int, lacking: float) -> int:
    """Far from the goal, in larger steps: 5 points of power take more than 1 % of n, for any."""
    return max(SIZE_STEP, n // 100 // SIZE_STEP * SIZE_STEP) if lacking > _FAR else SIZE_STEP


def interval(k: int, n: int, confidence: float) -> tuple[float, float]:
    """Clopper-Pearson: the shares that the two-sided test at ``1 - confidence`` would accept."""
    tail = (1 - confidence) / 2
    low = 0.0 if k == 0 else inverse_incomplete_beta(k, n - k + 1, tail)
    high = 1.0 if k == n else inverse_incomplete_beta(k + 1, n - k, 1 - tail)
    return low, high


def upper_bound(k: int, n: int, confidence: float) -> float:
    """One-sided Clopper-Pearson: a larger share would give more than ``k`` this surely."""
    return 1.0 if k >= n else inverse_incomplete_beta(k + 1, n - k, confidence)


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The smallest number in low..high for which a monotone condition holds."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
