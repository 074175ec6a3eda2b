"""How long something took to be noticed, or to be well again. The times are figures, not judged.

All times are seconds of the wall clock, as records and access logs have them.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.verdicts.verdict import Figure, Verdict, conclude

ENOUGH = 20
"""Requests wanted on each side of what happened; fewer show nothing."""
_UNDER_WAY = 1.0


def left_out(
    name: str,
    killed: float,
    served: Sequence[float],
    tried: Sequence[float],
    others: Sequence[float],
    *,
    enough: int = ENOUGH,
) -> Verdict:
    """A replica was left out once it had been killed, and was taken back by itself.

    ``served`` are the times of requests that it answered, ``others`` of those that other replicas
    did, ``tried`` of those, of either, that had to be tried more than once. Before the kill it
    answered and nothing was tried twice; then others alone answered; then it did again. Figures:
    from the kill to the last request that still met it, and to the first that it answered again.
    """
    before = sum(t < killed for t in served)
    after = [t for t in served if t > killed]
    noticed, back = max([killed, *tried]), min(after, default=killed)
    between = sum(noticed < t < back for t in others)
    problems = [
        f"{count} requests {what}; wanted {enough}"
        for count, what in (
            (before, "were answered by it before the kill"),
            (between, "were answered by others while it was left out"),
            (len(after), "were answered by it after the kill"),
        )
        if count < enough
    ]
    # A request that began before the kill may have been under way in it.
    if early := sum(t < killed - _UNDER_WAY for t in tried):
        problems.append(f"{early} requests were tried twice before anything was killed")
    figures: dict[str, Figure] = {"noticed_s": noticed - killed}
    if after:
        figures["back_s"] = back - killed
    return conclude(
        name,
        len(served) + len(others),
        {"before": before, "tried_again": len(tried), "between": between, "after": len(after)},
        problems,
        wanted="it answers, is left out, and answers again",
        found=f"{before} answers before, {len(tried)} requests tried again, {between} answered by"
        f" others, then {len(after)} by it",
        allowed=f"at least {enough} of each answer",
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
