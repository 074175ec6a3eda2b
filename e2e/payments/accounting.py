"""The account of payments and messages, by what payers were told and what msgd holds.

``adds_up`` needs the answers alone. ``truthful`` is for runs in which things fail: failing is
allowed, a false answer is not. Every payer was told what became of the payment and of its
notification, and msgd's store agrees. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from e2e.payments.payment import Payment, payments
from meshproof.traffic.record import Record
from meshproof.verdicts.verdict import Verdict, conclude, some

UNSURE = frozenset({"timeout", "refused"})
"""Reasons that mean that no answer came: the message may be stored all the same."""


def adds_up(name: str, records: Sequence[Record], *, sent: int) -> Verdict:
    """sent = answered + failed, and paid = notified + told why not."""
    answered = [r for r in payments(records) if r.answered]
    paid = [r for r in answered if r.paid]
    notified = sum(r.notified for r in paid)
    explained = sum(not r.notified and bool(r.reason) for r in paid)
    ids = Counter(r.message_id for r in paid if r.message_id)
    problems = []
    if len(records) != sent:
        problems.append(f"{sent} requests were sent and {len(records)} are accounted for")
    if len(paid) != notified + explained:
        problems.append(
            f"{len(paid)} paid is not {notified} notified + {explained} told why not:"
            f" {len(paid) - notified - explained} were told nothing"
        )
    if repeated := [i for i, count in ids.items() if count > 1]:
        problems.append(f"message ids were used twice: {some(repeated)}")
    if nameless := sum(r.notified and not r.message_id for r in paid):
        problems.append(f"{nameless} notified payments have no message id")
    return conclude(
        name,
        len(records),
        {
            "sent": sent,
            "answered": len(answered),
            "failed": len(records) - len(answered),
            "paid": len(paid),
            "notified": notified,
            "not_notified": explained,
        },
        problems,
        wanted="sent = answered + failed, paid = notified + not notified",
        found=f"{sent} sent, {len(answered)} answered, {len(paid)} paid, {notified} notified,"
        f" {explained} told why not",
        allowed="no difference",
    )


def truthful(
    name: str,
    records: Sequence[Record],
    stored: Sequence[str],
    *,
    sent: int,
    dropped: int = 0,
    traces: Mapping[str, str] | None = None,
) -> Verdict:
    """sent = paid + failed; paid = notified + told why not; the store holds what payers were told.

    ``stored`` are the message ids that msgd holds of this run, ``dropped`` how many repeated ones
    it dropped. A notified id is stored exactly once. An id that is stored although its payer was
    told ``notified: false`` needs a reason in ``UNSURE``. An id that no payer was told can only
    belong to a failed request, whose answer was lost after the message was stored. ``traces``
    (stored id -> trace id) shows which request each message belongs to, so that a request with two
    messages is found.
    """
    answered = [r for r in payments(records) if r.answered]
    paid = [r for r in answered if r.paid]
    failed = len(records) - len(answered)
    unnotified = [r for r in paid if not r.notified]
    notified = len(paid) - len(unnotified)
    problems = _answer_problems(payments(records), paid, sent=sent)
    problems += _store_problems(paid, stored, failed)
    problems += _repeated_requests(traces or {})
    unsure = sum(r.message_id in set(stored) for r in unnotified)
    return conclude(
        name,
        len(records),
        {
            "sent": sent,
            "failed": failed,
            "paid": len(paid),
            "notified": notified,
            "not_notified": len(unnotified),
            "stored": len(stored),
            "stored_though_told_not": unsure,
            "dropped": dropped,
        },
        problems,
        wanted="sent = paid + failed, paid = notified + told why not, each notified id stored once",
        found=f"{sent} sent, {len(paid)} paid, {failed} failed, {notified} notified,"
        f" {len(unnotified)} told why not, {len(stored)} stored, {dropped} duplicates dropped",
        allowed="no difference",
    )


def _answer_problems(
    records: Sequence[Payment], paid: Sequence[Payment], *, sent: int
) -> list[str]:
    """What is wrong with the answers themselves."""
    problems = []
    answered = sum(r.answered for r in records)
    if len(records) != sent:
        problems.append(f"{sent} requests were sent and {len(records)} are accounted for")
    if unpaid := answered - len(paid):
        problems.append(f"{unpaid} requests were answered 200 and not paid")
    if garbled := [r.error for r in records if r.status == 200 and r.error]:
        problems.append(f"{len(garbled)} answers cannot be understood: {some(garbled)}")
    if silent := sum(not r.notified and not r.reason for r in paid):
        problems.append(f"{silent} payers were told nothing: not notified, and no reason")
    if nameless := sum(not r.message_id for r in paid):
        problems.append(f"{nameless} payments have no message id")
    return problems


def _store_problems(paid: Sequence[Payment], stored: Sequence[str], failed: int) -> list[str]:
    """Where answers and store differ."""
    held = Counter(stored)
    own = Counter(r.message_id for r in paid if r.message_id)
    lost = [r.message_id for r in paid if r.notified and not held[r.message_id]]
    doubled = [i for i, count in held.items() if count > 1]
    reused = [i for i, count in own.items() if count > 1]
    denied = [
        r.message_id
        for r in paid
        if not r.notified and r.reason not in UNSURE and held[r.message_id]
    ]
    strange = [i for i in held if i not in own]
    problems = [
        f"{len(ids)} {what}: {some(ids)}"
        for ids, what in (
            (lost, "messages were reported notified and are not stored"),
            (doubled, "messages are stored more than once"),
            (reused, "message ids stand for several payments"),
            (denied, "messages are stored, and their payers were told for sure that they are not"),
        )
        if ids
    ]
    if len(strange) > failed:
        problems.append(
            f"{len(strange)} stored messages belong to no payment, and only {failed} requests"
            f" failed: {some(strange)}"
        )
    return problems


def _repeated_requests(traces: Mapping[str, str]) -> list[str]:
    """Requests that were repeated as new ones: one trace, several messages."""
    several = [t for t, count in Counter(traces.values()).items() if t and count > 1]
    if not several:
        return []
    return [f"{len(several)} requests left several messages: traces {some(several)}"]
