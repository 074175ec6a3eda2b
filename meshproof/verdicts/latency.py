"""A quantile of the requests' durations is shown to be below a bound."""

from __future__ import annotations

import math
from collections.abc import Sequence

from meshproof.verdicts.counts import CONFIDENCE, bound_share
from meshproof.verdicts.verdict import Figure, Verdict, conclude


def latency_below(
    name: str,
    durations: Sequence[float],
    *,
    seconds: float,
    quantile: float = 0.99,
    confidence: float = CONFIDENCE,
) -> Verdict:
    """The ``quantile`` of ``durations`` (seconds, of requests answered or not) is at most
    ``seconds``: the share of slower ones is surely below 1 - quantile (see ``counts``)."""
    ordered = sorted(durations)
    n, slower = len(ordered), sum(duration > seconds for duration in ordered)
    upper, problems = bound_share(slower, n, 1 - quantile, f"slower than {seconds:g} s", confidence)
    figures: dict[str, Figure] = {"upper_bound": upper, "confidence": confidence}
    if ordered:
        at = {q: ordered[max(0, math.ceil(q * n) - 1)] for q in (0.5, quantile)}
        figures |= {f"p{100 * q:g}_s": value for q, value in at.items()} | {"max_s": ordered[-1]}
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
