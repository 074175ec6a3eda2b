"""A share, or the time that a share of requests takes, is shown to be below a bound.

The bound is one-sided Clopper-Pearson: passing on a share that is not below it happens at most
with 1 - confidence. Too few requests fail it, whatever they show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from meshproof.traffic.record import Record
from meshproof.verdicts import binomial
from meshproof.verdicts.verdict import Figure, Verdict, conclude

CONFIDENCE = 0.999


def share_below(
    name: str, hits: int, n: int, *, below: float, what: str, confidence: float = CONFIDENCE
) -> Verdict:
    """Fewer than ``below`` (0.01 is 1 %) of all requests are ``what``, judged by ``hits`` of n."""
    upper, problems = _judged(hits, n, below, what, confidence)
    return conclude(
        name,
        n,
        {what: hits, "others": n - hits},
        problems,
        wanted=f"{what} below {100 * below:.4g} %",
        found=f"{hits} of {n} {what}, surely below {100 * upper:.3g} %",
        allowed=f"below {100 * below:.4g} % at confidence {confidence:g}",
        figures={"upper_bound": upper, "confidence": confidence},
    )


def quick(
    name: str,
    records: Sequence[Record],
    *,
    seconds: float,
    quantile: float = 0.99,
    confidence: float = CONFIDENCE,
) -> Verdict:
    """The ``quantile`` of the requests' durations is at most ``seconds``, answered or not."""
    taken = sorted(r.elapsed for r in records)
    n, slower = len(taken), sum(t > seconds for t in taken)
    upper, problems = _judged(slower, n, 1 - quantile, f"slower than {seconds:g} s", confidence)
    figures: dict[str, Figure] = {"upper_bound": upper, "confidence": confidence}
    if taken:
        at = {q: taken[max(0, math.ceil(q * n) - 1)] for q in (0.5, quantile)}
        figures |= {f"p{100 * q:g}_s": value for q, value in at.items()} | {"max_s": taken[-1]}
    return conclude(
        name,
        n,
        {"slower": slower, "in_time": n - slower},
        problems,
        wanted=f"p{100 * quantile:g} at most {seconds:g} s",
        found=f"{slower} of {n} slower",
        allowed=f"surely fewer than {100 * (1 - quantile):.4g} % slower",
        figures=figures,
    )


def _judged(
    hits: int, n: int, below: float, what: str, confidence: float
) -> tuple[float, list[str]]:
    upper = binomial.upper_bound(hits, n, confidence) if n else 1.0
    if not n or upper < below:
        return upper, []
    return upper, [
        f"{hits} of {n} {what}: that is surely below {100 * upper:.3g} % only;"
        f" wanted {100 * below:.4g} %"
    ]
