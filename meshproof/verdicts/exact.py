"""Counts that have no chance in them: all, or none."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.verdicts.verdict import Figure, Verdict, conclude


def exactly(
    name: str,
    n: int,
    counts: Mapping[str, int],
    *,
    wanted: int,
    figures: Mapping[str, Figure] | None = None,
) -> Verdict:
    """Each of some counts of the same ``n`` requests is ``wanted``. No alpha: one off fails.
    ``figures`` are told beside it, and not judged."""
    problems = [f"{k} is {c} of {n}; wanted {wanted}" for k, c in counts.items() if c != wanted]
    return conclude(
        name,
        n if counts else 0,
        dict(counts),
        problems,
        wanted=f"{wanted} of {n}",
        found=", ".join(f"{k} {c}" for k, c in counts.items()) or "nothing",
        allowed="no difference",
        figures=figures,
    )
