"""How long something took to be noticed, or to be well again. The times are figures, not judged.

All times are seconds of the wall clock, as records and access logs have them.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.verdicts.verdict import Figure, Verdict, conclude

ENOUGH = 20
"""Requests wanted on each side of what happened; fewer show nothing."""


def left_out(
    name: str,
    killed: float,
    served: Sequence[float],
    tried: Sequence[float],
    total: int,
    *,
    enough: int = ENOUGH,
) -> Verdict:
    """A replica was left out once it had been killed, and was taken back by itself.

    ``served`` are the times of requests that it answered, ``tried`` of those that had to be tried
    again elsewhere, out of ``total`` in the log. Before the kill it answered and nothing was
    tried twice. Figures: from the kill to the last request that still met it, and to the first
    that it answered again.
    """
    before = [t for t in served if t < killed]
    after = [t for t in served if t > killed]
    late = [t for t in tried if t > killed]
    early = len(tried) - len(late)
    problems = [
        f"it answered {len(some)} requests {when} the kill; wanted {enough}"
        for some, when in ((before, "before"), (after, "after"))
        if len(some) < enough
    ]
    # A request that began before the kill may be under way in it, and is tried again.
    if stale := sum(t < killed - 1.0 for t in tried):
        problems.append(f"{stale} requests were tried twice before anything was killed")
    figures: dict[str, Figure] = {"noticed_s": max(late, default=killed) - killed}
    if after:
        figures["back_s"] = min(after) - killed
    return conclude(
        name,
        total,
        {"before": len(before), "after": len(after), "under_way": early, "tried_again": len(late)},
        problems,
        wanted="it answers, is left out, and answers again",
        found=f"{len(before)} answers before, {len(tried)} requests tried again, {len(after)}"
        " answers after",
        allowed=f"at least {enough} before and after",
        figures=figures,
    )


def recovered(
    name: str,
    healed: float,
    requests: Sequence[tuple[float, bool]],
    *,
    enough: int = ENOUGH,
) -> Verdict:
    """What was ill is well by itself after ``healed``, and stays so.

    ``requests`` are pairs of the time when it was sent and whether it went well. Figures: from
    the healing to the end of what went ill, and to the first that went well.
    """
    ill = [t for t, well in requests if not well]
    last = max(ill, default=healed)
    good = [t for t, well in requests if well and t > max(last, healed)]
    problems = []
    if not any(t < healed for t in ill):
        problems.append("nothing went ill before the healing: there was nothing to recover from")
    if len(good) < enough:
        problems.append(f"{len(good)} requests went well after the last ill one; wanted {enough}")
    figures: dict[str, Figure] = {"last_ill_s": max(0.0, last - healed)}
    if well := [t for t, fine in requests if fine and t > healed]:
        figures["first_well_s"] = min(well) - healed
    return conclude(
        name,
        len(requests),
        {"ill": len(ill), "ill_after": sum(t > healed for t in ill), "well_at_the_end": len(good)},
        problems,
        wanted="ill before the healing, well for good after it",
        found=f"{len(ill)} ill, the last {max(0.0, last - healed):.3f} s after the healing,"
        f" then {len(good)} well",
        allowed=f"at least {enough} well at the end",
        figures=figures,
    )
