"""Did every request of a run succeed, at its sender and in every sidecar?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from meshproof.mesh import AccessRecord
from meshproof.verdicts.verdict import Verdict, conclude, some

BROKEN_OFF = "upstream_reset_after_response_started"
"""How Envoy's response details begin where a response broke off after its status was sent."""


class RequestRecord(Protocol):
    """One request as its sender recorded it; times are seconds of the wall clock."""

    @property
    def time(self) -> float:
        """When it was sent."""
        ...

    @property
    def end(self) -> float:
        """When its answer was complete, or when it failed."""
        ...

    @property
    def status(self) -> int:
        """The answer's HTTP status; 0 where there was none."""
        ...

    @property
    def error(self) -> str:
        """Why there was no answer, or why its body could not be read; else empty."""
        ...

    @property
    def version(self) -> str:
        """The version that answered; empty where the answer named none."""
        ...

    @property
    def answered(self) -> bool:
        """Status 200 with a body that could be read."""
        ...


R = TypeVar("R", bound=RequestRecord)


def failure(record: RequestRecord) -> str:
    """Why a request failed; empty where it did not. Any answer but 200 is a failure, and one whose
    body cannot be read."""
    return record.error or ("" if record.status == 200 else f"status {record.status}")


def has_failed(record: AccessRecord) -> bool:
    """A 5xx, no response at all, or one that broke off after its status was sent."""
    return not 0 < record.code < 500 or record.details.startswith(BROKEN_OFF)


def no_failures(
    name: str,
    records: Sequence[R],
    access_log: Sequence[AccessRecord],
    *,
    sent: int,
    why: Callable[[R], str] = failure,
    broken: Callable[[AccessRecord], bool] = has_failed,
) -> Verdict:
    """Not one request of the run failed, at its sender or in any sidecar.

    ``sent`` is how many requests were sent. ``access_log`` is every sidecar's log of this run: a
    failure there counts even where the sender got a 200, because a retry hid it. ``why`` says why
    a request counts as failed (empty: it does not), ``broken`` which access log records do; an app
    whose answers say more than their status passes its own.
    """
    failures = [reason for record in records if (reason := why(record))]
    hidden = [record for record in access_log if broken(record)]
    problems = _failure_problems(failures)
    if len(records) != sent:
        problems.append(f"{sent} requests were sent and {len(records)} are accounted for")
    if records and not access_log:
        problems.append("no evidence: no sidecar logged a request of this run")
    entered = sum(r.direction == "gateway" for r in access_log)
    if entered and entered != sent:  # a client that repeats requests by itself hides failures
        problems.append(f"{sent} requests were sent and {entered} entered by the gateway")
    if hidden:
        kinds = Counter(map(_describe, hidden))
        problems.append("in access logs: " + some([f"{c} x {t}" for t, c in kinds.most_common()]))
    return conclude(
        name,
        len(records),
        {
            "sent": sent,
            "failed": len(failures),
            "log_records": len(access_log),
            "log_5xx": len(hidden),
        },
        problems,
        wanted="0 failed requests, 0 failures in access logs",
        found=f"{len(failures)} failed, {len(hidden)} in access logs",
        allowed="0",
    )


def _failure_problems(failures: Sequence[str]) -> list[str]:
    if not failures:
        return []
    reasons = [f"{count} x {reason}" for reason, count in Counter(failures).most_common()]
    return [f"{len(failures)} requests failed: {some(reasons)}"]


def _describe(record: AccessRecord) -> str:
    broke_off = " broke off" if record.details.startswith(BROKEN_OFF) else ""
    return f"{record.sidecar} {record.direction} {record.code} {record.flags}{broke_off}"
