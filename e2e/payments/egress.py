"""Is egress blocked or allowed? Judged from both ends: the payers' answers and msgd's store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from e2e.payments.payment import payments
from e2e.payments.requests import failures
from meshproof.traffic.record import Record
from meshproof.verdicts.verdict import Verdict, conclude, some


def reachable(name: str, statuses: Sequence[int]) -> Verdict:
    """The positive control: msgd answered every direct request from outside the mesh.

    ``statuses`` are HTTP statuses, 0 where no answer came. Without this, "blocked" could be a
    msgd that is down.
    """
    good = sum(200 <= status < 300 for status in statuses)
    bad = Counter(status for status in statuses if not 200 <= status < 300)
    problems = [f"{count} direct requests got {status}" for status, count in bad.items()]
    return conclude(
        name,
        len(statuses),
        {"direct_requests": len(statuses), "answered": good},
        problems,
        wanted="every direct request answered 2xx",
        found=f"{good} of {len(statuses)}",
        allowed="all",
    )


def blocked(
    name: str, records: Sequence[Record], stored: Sequence[str], control: Verdict, *, refusal: str
) -> Verdict:
    """Two facts, after a positive control: every payer was told, and msgd has nothing.

    ``stored`` are the message ids that msgd holds of this run; ``refusal`` is the reason that
    svcb gives when the mesh refuses its call. The payment itself must still be paid.
    """
    answered = [r for r in payments(records) if r.answered]
    refused = sum(not r.notified and r.reason == refusal for r in answered)
    reasons = Counter("notified" if r.notified else r.reason or "no reason" for r in answered)
    problems = [f"request failed: {why}" for why in failures(records, notified=False)][:3]
    if refused != len(records):
        problems.append(
            f"{refused} of {len(records)} callers were told {refusal!r}: {dict(reasons)}"
        )
    if stored:
        problems.append(f"msgd holds {len(stored)} messages of this run: {some(list(stored))}")
    if not control.passed:
        problems.append(f"the positive control did not pass: {control.sentence}")
    return conclude(
        name,
        len(records),
        {"requests": len(records), "refused": refused, "stored": len(stored), "control": control.n},
        problems,
        wanted=f"every caller told {refusal!r}, 0 messages in msgd, msgd reachable from outside",
        found=f"{refused} of {len(records)} told, {len(stored)} messages in msgd",
        allowed="all told, 0 stored",
    )


def allowed(
    name: str, records: Sequence[Record], stored: Sequence[str], *, every: bool = True
) -> Verdict:
    """Every payment answered ``notified: true`` is in msgd exactly once; every other payer was told
    why not.

    With ``every`` each payer must have been notified. A message that msgd holds although its payer
    was told otherwise (a late answer) is counted; it is a failure only where its id belongs to no
    request of the run.
    """
    paid = payments(records)
    notified = Counter(r.message_id for r in paid if r.answered and r.notified)
    own_ids = {r.message_id for r in paid if r.message_id}
    held = Counter(stored)
    lost = [i for i, count in notified.items() if held[i] == 0 and count]
    doubled = [i for i, count in held.items() if count > 1]
    strange = [i for i in held if i not in own_ids]
    problems = [f"request failed: {why}" for why in failures(records, notified=every)][:3]
    problems += [
        f"{len(ids)} {what}: {some(ids)}"
        for ids, what in (
            (lost, "messages were reported notified and are not in msgd"),
            (doubled, "messages are in msgd more than once"),
            (strange, "messages in msgd belong to no request of this run"),
        )
        if ids
    ]
    if silent := sum(r.answered and not r.notified and not r.reason for r in paid):
        problems.append(f"{silent} callers were not told why they were not notified")
    if "" in notified or sum(notified.values()) != len(notified):
        problems.append("message ids of notified payments are missing or not unique")
    late = sum(1 for i in held if i in own_ids and i not in notified)
    return conclude(
        name,
        len(records),
        {
            "requests": len(records),
            "notified": sum(notified.values()),
            "stored": len(stored),
            "stored_though_told_not": late,
        },
        problems,
        wanted="every notified payment in msgd exactly once" + (", every one notified" * every),
        found=f"{sum(notified.values())} notified, {len(stored)} messages in msgd,"
        f" {len(lost)} lost, {len(doubled)} doubled",
        allowed="0 lost, 0 doubled, 0 strange",
    )
