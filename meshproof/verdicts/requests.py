"""Did every request of a run succeed, and does the account of payments and messages add up?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meshproof.mesh import AccessRecord
from meshproof.traffic.record import Record
from meshproof.verdicts.verdict import Verdict, conclude, some

BROKEN_OFF = "upstream_reset_after_response_started"
"""How Envoy's details begin where an answer broke off after its status was sent."""


def failures(records: Sequence[Record], *, notified: bool) -> list[str]:
    """Why each failed request failed, one text a request.

    Failed is any answer but 200, an answer that cannot be understood, one that was not paid, and,
    where ``notified`` says that msgd was up and allowed, one whose notification did not arrive.
    """
    found = []
    for record in records:
        if record.error:
            found.append(record.error)
        elif record.status != 200:
            found.append(f"status {record.status}")
        elif not record.paid:
            found.append("not paid")
        elif notified and not record.notified:
            found.append(f"not notified ({record.reason or 'no reason given'})")
    return found


def no_failures(
    name: str,
    records: Sequence[Record],
    access_log: Sequence[AccessRecord],
    *,
    sent: int,
    notified: bool = True,
) -> Verdict:
    """Not one request of the run failed, at the caller or in any sidecar.

    ``sent`` is how many requests left; ``access_log`` is every sidecar's log of this run, where a
    5xx, no answer at all, or one that broke off, counts as a failure even when the caller saw a
    200 (a retry that hid it). With ``notified=False`` (egress is closed) a 502 beyond the gateway
    is the refusal itself, passed up from svcb's sidecar to svca; it is not counted.
    """
    failed = failures(records, notified=notified)
    broken = [r for r in access_log if _broken(r, notified)]
    problems = _failure_problems(failed)
    if len(records) != sent:
        problems.append(f"{sent} requests were sent and {len(records)} are accounted for")
    if records and not access_log:
        problems.append("no evidence: no sidecar logged a request of this run")
    entered = sum(r.direction == "gateway" for r in access_log)
    if entered and entered != sent:  # a client that repeats requests by itself hides failures
        problems.append(f"{sent} requests were sent and {entered} entered by the gateway")
    if broken:
        seen = Counter(map(_how, broken))
        problems.append("in access logs: " + some([f"{c} x {t}" for t, c in seen.most_common()]))
    return conclude(
        name,
        len(records),
        {
            "sent": sent,
            "failed": len(failed),
            "log_records": len(access_log),
            "log_5xx": len(broken),
        },
        problems,
        wanted="0 failed requests, 0 failures in access logs",
        found=f"{len(failed)} failed, {len(broken)} in access logs",
        allowed="0",
    )


def accounting(name: str, records: Sequence[Record], *, sent: int) -> Verdict:
    """sent = answered + failed, and paid = notified + told that it was not, with a reason."""
    answered = [r for r in records if r.answered]
    paid = [r for r in answered if r.paid]
    notified = sum(r.notified for r in paid)
    told = sum(not r.notified and bool(r.reason) for r in paid)
    ids = Counter(r.message_id for r in paid if r.message_id)
    problems = []
    if len(records) != sent:
        problems.append(f"{sent} requests were sent and {len(records)} are accounted for")
    if len(paid) != notified + told:
        problems.append(
            f"{len(paid)} paid is not {notified} notified + {told} told why not:"
            f" {len(paid) - notified - told} were told nothing"
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
            "not_notified": told,
        },
        problems,
        wanted="sent = answered + failed, paid = notified + not notified",
        found=f"{sent} sent, {len(answered)} answered, {len(paid)} paid, {notified} notified,"
        f" {told} told why not",
        allowed="no difference",
    )


def _failure_problems(failed: Sequence[str]) -> list[str]:
    if not failed:
        return []
    reasons = [f"{count} x {reason}" for reason, count in Counter(failed).most_common()]
    return [f"{len(failed)} requests failed: {some(reasons)}"]


def _broken(record: AccessRecord, notified: bool) -> bool:
    """A 5xx, no answer or half of one; the mesh's own refusal at a closed egress is what was
    asked for."""
    if record.details.startswith(BROKEN_OFF):
        return True
    if 0 < record.code < 500:
        return False
    return notified or record.code != 502 or record.direction == "gateway"


def _how(record: AccessRecord) -> str:
    broke_off = " broke off" if record.details.startswith(BROKEN_OFF) else ""
    return f"{record.sidecar} {record.direction} {record.code} {record.flags}{broke_off}"
