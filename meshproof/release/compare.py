"""Two versions that were called at the same time: is one worse, and by how much at most? Pure.

Failures are compared by Fisher's exact test and by Clopper-Pearson bounds, waits by the
Mann-Whitney test of a shift. Only the last is an approximation (normal, without the correction for
ties): the distribution of U has lighter tails than a normal one, and ties only narrow it, so the
error rates are at most what is stated. ``tools.release_simulation`` measures them.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.verdicts import binomial


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one version, by its callers: milliseconds of successes, and failures."""

    waits: Sequence[float] = ()
    failed: int = 0

    @property
    def total(self) -> int:
        return len(self.waits) + self.failed

    @property
    def share_failed(self) -> float:
        return self.failed / self.total if self.total else 0.0

    def median(self) -> float:
        """The median wait in milliseconds; 0 without a success."""
        ordered = sorted(self.waits)
        return float(ordered[len(ordered) // 2]) if ordered else 0.0


def p_fails_more(old: Calls, new: Calls) -> float:
    """Fisher's exact test, one-sided: the probability that the new version gets this many of all
    failures, or more, if both fail equally often. 1 where one of them was not called."""
    if not old.total or not new.total:
        return 1.0
    failed = old.failed + new.failed
    most = min(failed, new.total)
    tail = (
        math.exp(
            _log_choose(new.total, k)
            + _log_choose(old.total, failed - k)
            - _log_choose(old.total + new.total, failed)
        )
        for k in range(max(new.failed, failed - old.total), most + 1)
    )
    return min(1.0, math.fsum(tail))


def most_excess(old: Calls, new: Calls, level: float) -> float:
    """How much larger the new version's share of failures is at most; with probability ``level``
    (0.01 is 1 %) it is larger still. The new version's bound takes nine tenths of the level."""
    if not old.total or not new.total:
        return 1.0
    high = binomial.upper_bound(new.failed, new.total, 1 - 0.9 * level)
    low = 1 - binomial.upper_bound(old.total - old.failed, old.total, 1 - 0.1 * level)
    return high - low


def p_slower(old: Calls, new: Calls, shift: float) -> float:
    """Mann-Whitney, one-sided: the probability of waits this long by the new version if it is at
    most ``shift`` milliseconds slower."""
    return _upper_tail(_z(old.waits, new.waits, shift))


def p_faster(old: Calls, new: Calls, shift: float) -> float:
    """The other side: the probability of waits this short if it is at least ``shift`` slower."""
    return _upper_tail(-_z(old.waits, new.waits, shift))


def _z(old: Sequence[float], new: Sequence[float], shift: float) -> float:
    """The standard score of U, the number of pairs in which new - shift > old; 0 for no pairs."""
    if not len(old) or not len(new):
        return 0.0
    ordered = sorted(old)
    below = sum(bisect_left(ordered, wait - shift) for wait in new)
    not_above = sum(bisect_right(ordered, wait - shift) for wait in new)
    pairs = len(old) * len(new)
    spread = math.sqrt(pairs * (len(old) + len(new) + 1) / 12)
    return float((below + not_above) / 2 - pairs / 2) / spread


def _upper_tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
