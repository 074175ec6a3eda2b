"""Verdicts on counts: an exact number, none at all, some of each, a share below a bound.

Bounds are one-sided Clopper-Pearson: a share that is not below the bound passes with probability
1 - confidence at most. Too few requests fail, whatever they show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshproof.verdicts import binomial
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.verdict import Figure, Verdict, conclude

CONFIDENCE = 0.999


def exactly(
    name: str,
    n: int,
    counts: Mapping[str, int],
    *,
    expected: int,
    figures: Mapping[str, Figure] | None = None,
) -> Verdict:
    """Each of several counts of the same ``n`` requests is ``expected``. There is no chance in it,
    so no alpha: a difference of one fails. ``figures`` are reported and not judged."""
    problems = [f"{k} is {c} of {n}; wanted {expected}" for k, c in counts.items() if c != expected]
    return conclude(
        name,
        n if counts else 0,
        dict(counts),
        problems,
        wanted=f"{expected} of {n}",
        found=", ".join(f"{k} {c}" for k, c in counts.items()) or "nothing",
        allowed="no difference",
        figures=figures,
    )


def zero_share(
    name: str, sample: Sample, version: str, *, below: float = 0.01, confidence: float = CONFIDENCE
) -> Verdict:
    """``version`` answered no request, out of enough to say that its share is below ``below``.

    0 of 690 is below 1 % at confidence 99.9 %. Any failed request fails the verdict: which version
    would have answered it is unknown.
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


def present(
    name: str, sample: Sample, versions: Sequence[str], *, at_least: float = 0.05
) -> Verdict:
    """Each of ``versions`` has at least this share of the answers, and no other version has any.

    Beyond that it judges no shares: no rule promises how a Service spreads calls over its replicas,
    and such calls are not independent. Any failed request fails the verdict.
    """
    n = sample.answered
    rare = [v for v in versions if sample.counts.get(v, 0) < max(1, at_least * n)]
    problems = sample.problems()
    problems += [f"{v} answered {sample.counts.get(v, 0)} of {n}" for v in rare if n]
    problems += [
        f"{hits} answers from {version!r}, which was not expected"
        for version, hits in sample.counts.items()
        if hits and version not in versions
    ]
    return conclude(
        name,
        n,
        {**dict.fromkeys(versions, 0), **sample.counts},
        problems,
        wanted=f"answers from each of {', '.join(versions)}",
        found=", ".join(f"{v} {hits}" for v, hits in sample.counts.items()) or "no answers",
        allowed=f"each at least {100 * at_least:g} %, others 0",
        figures={"failed": sample.failed},
    )


def share_below(
    name: str, hits: int, n: int, *, below: float, what: str, confidence: float = CONFIDENCE
) -> Verdict:
    """Fewer than ``below`` (0.01 is 1 %) of all requests are ``what``, judged by ``hits`` of n."""
    upper, problems = bound_share(hits, n, below, what, confidence)
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


def bound_share(
    hits: int, n: int, below: float, what: str, confidence: float
) -> tuple[float, list[str]]:
    """The upper bound of a share, and a problem where it is not below ``below``."""
    upper = binomial.upper_bound(hits, n, confidence) if n else 1.0
    if not n or upper < below:
        return upper, []
    return upper, [
        f"{hits} of {n} {what}: that is surely below {100 * upper:.3g} % only;"
        f" wanted {100 * below:.4g} %"
    ]
