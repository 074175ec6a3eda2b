"""Sequential test of one share: it ends as soon as the evidence suffices.

Wald's sequential probability ratio test of ``p`` against both ``p - shift`` and ``p + shift``
(A. Wald, Sequential Analysis, 1947), truncated where the exact binomial test decides. By Ville's
inequality a right share reaches a likelihood ratio of 1/a with probability a at most, and one that
is ``shift`` off falls to b with probability b at most, whenever one looks. So both error rates are
bounds, not approximations, and looking after each request costs nothing. The two parts share them:
nine tenths for the sequential test, one for the binomial test at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from meshproof.verdicts import binomial

_SEQUENTIAL_PART = 0.9

RIGHT, WRONG, UNDECIDED = "right", "wrong", "undecided"


@dataclass(frozen=True)
class SequentialTest:
    """Is a share ``share``, or at least ``shift`` away from it?

    A right share is refused with probability ``alpha`` at most, one that is ``shift`` off is taken
    with probability ``1 - power`` at most.
    """

    share: float
    shift: float
    alpha: float
    power: float

    @cached_property
    def limit(self) -> int:
        """The number of requests after which the binomial test decides. Raises ValueError as
        ``binomial.sample_size`` does."""
        rest = 1 - _SEQUENTIAL_PART
        missed = rest * (1 - self.power)
        return binomial.sample_size(self.share, self.shift, rest * self.alpha, 1 - missed)

    @cached_property
    def _steps(self) -> list[tuple[float, float]]:
        """For each alternative, what a hit and a miss add to the log of its likelihood ratio."""
        p, others = self.share, (self.share - self.shift, self.share + self.shift)
        return [(_log(q / p), _log((1 - q) / (1 - p))) for q in others if 0 <= q <= 1]

    @cached_property
    def _refused_at(self) -> float:
        return math.log(len(self._steps) / (_SEQUENTIAL_PART * self.alpha))

    @cached_property
    def _taken_at(self) -> float:
        return math.log(_SEQUENTIAL_PART * (1 - self.power))

    def decide(self, hits: int, n: int) -> str:
        """``right``, ``wrong`` or ``undecided`` after ``hits`` of ``n``."""
        if n >= self.limit:
            low, high = self._last_region
            return RIGHT if low <= hits <= high else WRONG
        ratios = [_ratio(step, hits, n) for step in self._steps]
        if max(ratios) >= self._refused_at:
            return WRONG
        return RIGHT if max(ratios) <= self._taken_at else UNDECIDED

    def allowed(self, n: int) -> tuple[int, int]:
        """Lowest and highest count after ``n`` that does not refuse the share."""
        if n >= self.limit:
            return self._last_region
        middle = round(self.share * n)
        low = _edge(middle, -1, 0, lambda hits: self.decide(hits, n) != WRONG)
        return low, _edge(middle, 1, n, lambda hits: self.decide(hits, n) != WRONG)

    def walk(self, hits: Iterable[bool]) -> tuple[str, int, int]:
        """The first decision, after how many requests, and how many of them were hits."""
        n = count = 0
        for hit in hits:
            n, count = n + 1, count + hit
            if (outcome := self.decide(count, n)) != UNDECIDED:
                return outcome, n, count
        return UNDECIDED, n, count

    @cached_property
    def _last_region(self) -> tuple[int, int]:
        rest = (1 - _SEQUENTIAL_PART) * self.alpha
        return binomial.acceptance(self.limit, self.share, rest)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _ratio(step: tuple[float, float], hits: int, n: int) -> float:
    """A step of minus infinity counts only where it was taken."""
    pairs = zip(step, (hits, n - hits), strict=True)
    return sum(size * count for size, count in pairs if count)


def _edge(begin: int, direction: int, end: int, holds: Callable[[int], bool]) -> int:
    edge = begin
    while edge != end and holds(edge + direction):
        edge += direction
    return edge
