"""Do all the wanted versions answer, and no other?"""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.verdicts.sample import Sample
from meshproof.verdicts.verdict import Verdict, conclude


def present(
    name: str, sample: Sample, versions: Sequence[str], *, at_least: float = 0.05
) -> Verdict:
    """Each of ``versions`` has at least this share of the answers, and nobody else has any.

    Says nothing of shares beyond that: how a Service spreads calls over its replicas is no rule's
    promise, and not independent from call to call. Any failed request fails it.
    """
    n = sample.answered
    few = [v for v in versions if sample.counts.get(v, 0) < max(1, at_least * n)]
    problems = sample.problems()
    problems += [f"{v} answered {sample.counts.get(v, 0)} of {n}" for v in few if n]
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
