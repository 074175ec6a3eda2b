"""A rule is switched under load: which version answered when, and did a request fail?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from meshproof.verdicts.requests import R, RequestRecord, failure
from meshproof.verdicts.verdict import Figure, Verdict, conclude, some

ENOUGH = 100
"""Requests needed before and after; fewer show nothing."""


@dataclass(frozen=True, slots=True)
class SwitchTimes:
    """When a rule was applied and live, in seconds of the wall clock that records use."""

    applied: float
    live: float


def switched(
    name: str,
    records: Sequence[R],
    change: SwitchTimes,
    *,
    old: Collection[str],
    sent: int,
    enough: int = ENOUGH,
    why: Callable[[R], str] = failure,
) -> Verdict:
    """No request failed, and none that was sent after the rule was live got an ``old`` version.

    ``old`` are the versions to which the new rule sends nothing; they must have answered before,
    or nothing was switched. Requests in flight at the moment of the change may get either. ``why``
    is as in ``no_failures``. Figures, in seconds: from apply to live, and from apply to the end of
    the last answer by an old version.
    """
    failed = [reason for record in records if (reason := why(record))]
    before = [r for r in records if r.end < change.applied]
    after = [r for r in records if r.time > change.live]
    old_answers = [r for r in records if r.version in old]
    late = [r for r in after if r.version in old]
    problems = _evidence(before, after, old, enough)
    if len(records) != sent:
        problems.append(f"{sent} requests were sent and {len(records)} are accounted for")
    if failed:
        problems.append(f"{len(failed)} requests failed: {some(failed)}")
    if late:
        worst = max(r.time for r in late) - change.live
        problems.append(f"{len(late)} old answers after live, the last {worst:.4f} s after it")
    figures: dict[str, Figure] = {"apply_to_live_s": change.live - change.applied}
    if old_answers:
        last = max(r.end for r in old_answers) - change.applied
        figures["apply_to_last_old_answer_s"] = max(0.0, last)
    return conclude(
        name,
        len(records),
        {
            "before": len(before),
            "after": len(after),
            "failed": len(failed),
            "old_before": sum(r.version in old for r in before),
            "old_after_live": len(late),
        },
        problems,
        wanted=f"0 failed, 0 answers of {', '.join(sorted(old))} to requests sent after live",
        found=f"{len(failed)} failed, {len(late)} old answers after live",
        allowed="0 and 0",
        figures=figures,
    )


def _evidence(
    before: Sequence[RequestRecord],
    after: Sequence[RequestRecord],
    old: Collection[str],
    enough: int,
) -> list[str]:
    problems = [
        f"{len(records)} requests {when} the change; wanted {enough}"
        for records, when in ((before, "before"), (after, "after"))
        if len(records) < enough
    ]
    if not any(r.version in old for r in before):
        problems.append(f"no answer of {', '.join(sorted(old))} before: nothing was switched")
    return problems
