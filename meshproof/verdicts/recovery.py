"""How long a failure took to be noticed, and to be over. These times are figures, not judged.

All times are seconds of the wall clock, as records and access logs have them.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.verdicts.verdict import Figure, Verdict, conclude

ENOUGH = 20
"""Requests needed on each side of the failure; fewer show nothing."""
_IN_FLIGHT = 1.0
"""Seconds before the kill in which a request may have begun that was still in flight at it."""


def fails_over(
    name: str,
    killed: float,
    served: Sequence[float],
    retried: Sequence[float],
    others: Sequence[float],
    *,
    enough: int = ENOUGH,
) -> Verdict:
    """A replica got no more requests once it had been killed, and got them again when it was back.

    ``served`` are the times of requests that it answered, ``others`` of those that other replicas
    answered, ``retried`` of those, by either, that took more than one attempt. Before the kill it
    answered and nothing was retried; then only others answered; then it answered again. Figures:
    from the kill to the last request that still met it, and to the first that it answered again.
    """
    before = sum(t < killed for t in served)
    after = [t for t in served if t > killed]
    noticed, back = max([killed, *retried]), min(after, default=killed)
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
    if early := sum(t < killed - _IN_FLIGHT for t in retried):
        problems.append(f"{early} requests were tried twice before anything was killed")
    figures: dict[str, Figure] = {"noticed_s": noticed - killed}
    if after:
        figures["back_s"] = back - killed
    return conclude(
        name,
        len(served) + len(others),
        {"before": before, "tried_again": len(retried), "between": between, "after": len(after)},
        problems,
        wanted="it answers, is left out, and answers again",
        found=f"{before} answers before, {len(retried)} requests tried again, {between} answered by"
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
    """Requests failed before ``healed``, and go well without further help soon after it.

    ``requests`` are pairs of the time when it was sent and whether it went well. Figures: from
    the healing to the last request that failed, and to the first that went well.
    """
    failed = [t for t, well in requests if not well]
    last = max(failed, default=healed)
    good = [t for t, well in requests if well and t > max(last, healed)]
    problems = []
    if not any(t < healed for t in failed):
        problems.append("nothing went ill before the healing: there was nothing to recover from")
    if len(good) < enough:
        problems.append(f"{len(good)} requests went well after the last ill one; wanted {enough}")
    figures: dict[str, Figure] = {"last_ill_s": max(0.0, last - healed)}
    if well := [t for t, fine in requests if fine and t > healed]:
        figures["first_well_s"] = min(well) - healed
    return conclude(
        name,
        len(requests),
        {
            "ill": len(failed),
            "ill_after": sum(t > healed for t in failed),
            "well_at_the_end": len(good),
        },
        problems,
        wanted="ill before the healing, well for good after it",
        found=f"{len(failed)} ill, the last {max(0.0, last - healed):.3f} s after the healing,"
        f" then {len(good)} well",
        allowed=f"at least {enough} well at the end",
        figures=figures,
    )
