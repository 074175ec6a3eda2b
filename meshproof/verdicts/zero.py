"""0 % is exact zero, with the bound that so many requests buy."""

from __future__ import annotations

from meshproof.verdicts import binomial
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.verdict import Verdict, conclude


def zero_share(
    name: str, sample: Sample, version: str, *, below: float = 0.01, confidence: float = 0.999
) -> Verdict:
    """``version`` answered not once, on enough requests to say its share is below ``below``.

    The bound is one-sided Clopper-Pearson: 0 of 690 is below 1 % at confidence 99.9 %. Any failed
    request fails it: who would have answered that one is not known.
    """
    n = sample.answered
    hits = sample.counts.get(version, 0)
    bound = binomial.upper_bound(hits, n, confidence) if n else 1.0
    problems = sample.problems()
    if hits:
        problems.append(f"{version} answered {hits} of {n}; wanted exactly 0")
    elif n and bound >= below:
        problems.append(
            f"0 of {n} only says below {bound:.3g} at confidence {confidence:g}; wanted {below:g}"
        )
    return conclude(
        name,
        n,
        {version: hits, **sample.counts},
        problems,
        wanted=f"{version} exactly 0",
        found=f"{version} {hits} of {n}",
        allowed=f"0, bounded below {below:g} at confidence {confidence:g}",
        figures={"upper_bound": bound, "confidence": confidence, "failed": sample.failed},
    )
