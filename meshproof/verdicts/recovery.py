"""How long a failure took to be noticed, and to be over. These times are figures, not judged.

All times are seconds of the wall clock, as records and access logs have them.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from meshproof.verdicts.verdict import Figure, Verdict, conclude

ENOUGH = 50
"""Requests that show that a replica was left out. One that is in service is met again after far
fewer, however slow the machine is, with 8 callers and a balancer that takes replicas in turn: a
caller that waits for a slow replica sends nothing to the others."""
_ANSWERS = 20
"""Answers that show that a replica answers, and requests that show that all is well again."""
NEARLY_ALL = 0.8


@dataclass(frozen=True, slots=True)
class Meetings:
    """Which requests met one replica, and which went well without; the times when they began."""

    served: Sequence[float]
    """It answered."""
    missed: Sequence[float]
    """They met it, and had no good answer from it; another may have answered in the end."""
    others: Sequence[float]
    """Other replicas answered, and it was not met."""


@dataclass(frozen=True, slots=True)
class _Outage:
    """The longest run of requests in a row that did not meet a replica."""

    answers: int
    """By others, in a row."""
    before: int
    """Answers by it before that run, and after it."""
    after: int
    noticed: float
    """Seconds from its last answer before the run to the last request that met it in vain."""
    back: float
    """Seconds from there to its first answer after the run; 0 where there was none."""


def longest_outage(meetings: Meetings) -> int:
    """How many requests in a row others answered while none met the replica."""
    return _longest_outage(meetings).answers


def fails_over(name: str, meetings: Meetings, *, enough: int = ENOUGH) -> Verdict:
    """A replica answered, was left out, and answered again.

    All moments are the requests' own, so it does not matter when anybody looked at a clock. It was
    left out while at least ``enough`` requests in a row were answered by others and none met it.
    Figures, from the last request that it answered before: to the last that still met it, and to
    the first that it answered again.
    """
    outage = _longest_outage(meetings)
    problems = _outage_problems(outage, enough)
    figures: dict[str, Figure] = {"noticed_s": outage.noticed}
    if outage.after:
        figures["back_s"] = outage.back
    return conclude(
        name,
        sum(map(len, (meetings.served, meetings.missed, meetings.others))),
        {
            "before": outage.before,
            "in_vain": len(meetings.missed),
            "between": outage.answers,
            "after": outage.after,
        },
        problems,
        wanted="it answers, is left out, and answers again",
        found=f"{outage.before} answers before, {len(meetings.missed)} requests met it in vain,"
        f" {outage.answers} in a row answered by others, then {outage.after} by it",
        allowed=f"at least {_ANSWERS}, {enough} and {_ANSWERS} answers",
        figures=figures,
    )


def _outage_problems(outage: _Outage, enough: int) -> list[str]:
    if outage.answers < enough:  # then before and after mean nothing
        return [
            f"{outage.answers} requests in a row were answered by others while it was left out;"
            f" wanted {enough}"
        ]
    return [
        f"{count} requests were answered by it {when} it was left out; wanted {_ANSWERS}"
        for count, when in ((outage.before, "before"), (outage.after, "after"))
        if count < _ANSWERS
    ]


def _longest_outage(meetings: Meetings) -> _Outage:
    served = sorted(meetings.served)
    met = sorted([*served, *meetings.missed])
    others = sorted(meetings.others)
    edges = [-math.inf, *met, math.inf]
    runs = [
        (bisect_left(others, end) - bisect_right(others, begin), begin, end)
        for begin, end in pairwise(edges)
    ]
    answers, begin, end = max(runs, key=lambda run: run[0])
    before, first_after = bisect_right(served, begin), bisect_left(served, end)
    after = served[first_after:]
    last = served[before - 1] if before else begin
    return _Outage(
        max(0, answers),
        before,
        len(after),
        noticed=begin - last if before else 0.0,
        back=after[0] - last if before and after else 0.0,
    )


def recovered(
    name: str,
    healed: float,
    requests: Sequence[tuple[float, bool]],
    *,
    enough: int = _ANSWERS,
) -> Verdict:
    """Requests failed before ``healed``; of the last ``enough``, all sent after it, nearly all went
    well, without further help.

    ``requests`` are pairs of the time when it was sent and whether it went well; a busy machine may
    be late for one of them at any time. ``healed`` is read before the cause ends. Figures: from the
    healing to the last request that failed, and to the first that went well.
    """
    failed = [t for t, well in requests if not well]
    last = max(failed, default=healed)
    tail = sorted((t, well) for t, well in requests if t > healed)[-enough:]
    good = sum(well for _, well in tail)
    problems = []
    if not any(t < healed for t in failed):
        problems.append("nothing went ill before the healing: there was nothing to recover from")
    if len(tail) < enough or good < NEARLY_ALL * enough:
        problems.append(
            f"{good} of the last {len(tail)} requests after the healing went well; wanted"
            f" {NEARLY_ALL * enough:g} of {enough}"
        )
    figures: dict[str, Figure] = {"last_ill_s": max(0.0, last - healed)}
    if well := [t for t, fine in requests if fine and t > healed]:
        figures["first_well_s"] = min(well) - healed
    return conclude(
        name,
        len(requests),
        {
            "ill": len(failed),
            "ill_after": sum(t > healed for t in failed),
            "well_at_the_end": good,
        },
        problems,
        wanted="ill before the healing, well at the end",
        found=f"{len(failed)} ill, the last {max(0.0, last - healed):.3f} s after the healing;"
        f" {good} of the last {len(tail)} well",
        allowed=f"at least {NEARLY_ALL * enough:g} of the last {enough}",
        figures=figures,
    )
