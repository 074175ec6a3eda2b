"""Was anybody told a lie? The account of payments and messages while things fail.

Failing is allowed here, saying otherwise is not: every payer was told what became of the payment
and of its notification, and the receiver's store agrees.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from meshproof.traffic.record import Record
from meshproof.verdicts.verdict import Verdict, conclude, some

UNSURE = frozenset({"timeout", "refused"})
"""Reasons that say that no answer came: the message may be stored all the same."""


def truthful(
    name: str,
    records: Sequence[Record],
    stored: Sequence[str],
    *,
    sent: int,
    dropped: int = 0,
    traces: Mapping[str, str] | None = None,
) -> Verdict:
    """sent = paid + failed; paid = notified + told why not; the store holds what was said.

    ``stored`` are the ids that the receiver holds of this run, ``dropped`` how many repeated ones
    it dropped. A notified id is there exactly once. One that is there although its payer was told
    ``notified: false`` needs a reason in ``UNSURE``. An id that no payer was told may be there for
    a failed request alone: its answer was lost after the message was stored. ``traces``, stored id
    -> trace id, tells more: which request each is of, so that one with two messages is found.
    """
    answered = [r for r in records if r.answered]
    paid = [r for r in answered if r.paid]
    failed = len(records) - len(answered)
    told = [r for r in paid if not r.notified]
    problems = [*_said(records, answered, paid, sent=sent), *_kept(paid, stored, failed)]
    problems += _twice(traces or {})
    unsure = sum(r.message_id in set(stored) for r in told)
    return conclude(
        name,
        len(records),
        {
            "sent": sent,
            "failed": failed,
            "paid": len(paid),
            "notified": len(paid) - len(told),
            "not_notified": len(told),
            "stored": len(stored),
            "stored_though_told_not": unsure,
            "dropped": dropped,
        },
        problems,
        wanted="sent = paid + failed, paid = notified + told why not, each notified id stored once",
        found=f"{sent} sent, {len(paid)} paid, {failed} failed, {len(paid) - len(told)} notified,"
        f" {len(told)} told why not, {len(stored)} stored, {dropped} duplicates dropped",
        allowed="no difference",
    )


def _said(
    records: Sequence[Record], answered: Sequence[Record], paid: Sequence[Record], *, sent: int
) -> list[str]:
    """What the answers themselves have wrong."""
    problems = []
    if len(records) != sent:
        problems.append(f"{sent} requests were sent and {len(records)} are accounted for")
    if unpaid := len(answered) - len(paid):
        problems.append(f"{unpaid} requests were answered 200 and not paid")
    if garbled := [r.error for r in records if r.status == 200 and r.error]:
        problems.append(f"{len(garbled)} answers cannot be understood: {some(garbled)}")
    if silent := sum(not r.notified and not r.reason for r in paid):
        problems.append(f"{silent} payers were told nothing: not notified, and no reason")
    if nameless := sum(not r.message_id for r in paid):
        problems.append(f"{nameless} payments have no message id")
    return problems


def _kept(paid: Sequence[Record], stored: Sequence[str], failed: int) -> list[str]:
    """Where answers and store differ."""
    held = Counter(stored)
    ids = Counter(r.message_id for r in paid if r.message_id)
    lost = [r.message_id for r in paid if r.notified and not held[r.message_id]]
    twice = [i for i, count in held.items() if count > 1]
    reused = [i for i, count in ids.items() if count > 1]
    denied = [
        r.message_id
        for r in paid
        if not r.notified and r.reason not in UNSURE and held[r.message_id]
    ]
    strange = [i for i in held if i not in ids]
    problems = [
        f"{len(found)} {what}: {some(found)}"
        for found, what in (
            (lost, "messages were reported notified and are not stored"),
            (twice, "messages are stored more than once"),
            (reused, "message ids stand for several payments"),
            (denied, "messages are stored, and their payers were told for sure that they are not"),
        )
        if found
    ]
    if len(strange) > failed:
        problems.append(
            f"{len(strange)} stored messages belong to no payment, and only {failed} requests"
            f" failed: {some(strange)}"
        )
    return problems


def _twice(traces: Mapping[str, str]) -> list[str]:
    """Requests that were repeated as new ones: one trace, several messages."""
    several = [t for t, count in Counter(traces.values()).items() if t and count > 1]
    if not several:
        return []
    return [f"{len(several)} requests left several messages: traces {some(several)}"]
