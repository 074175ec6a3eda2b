"""The accounting at the end, to the last message. Pure: evidence in, verdicts out.

What a payer may meet is decided here. A payment that was on its way through a svca that is killed
cannot be sent again safely: svca gives it its message id, so twice sent would be twice paid. It
may fail, and nothing else may. Behind svca each call is repeated (the id makes that safe), so a
killed svcb loses nothing. A payer may be told "not notified" while msgd cannot be reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from e2e.payments.payment import Payment
from meshproof.mesh import AccessRecord
from meshproof.verdicts.requests import has_failed
from meshproof.verdicts.verdict import Verdict, conclude, some
from soak.plan import MSGD
from soak.timeline import Done

Message = Mapping[str, str]
"""Of msgd's store: ``id`` and ``trace_id``."""


def may_fail(done: Done) -> bool:
    """Whether requests that are at the replica it hit may fail meanwhile."""
    return done.action.kind == "kill" and done.action.on == "svca"


def may_not_notify(done: Done) -> bool:
    """Whether a payer may be told meanwhile that nobody was notified."""
    return done.action.on == MSGD or done.action.kind == "close egress"


def actions(done: Sequence[Done], planned: int) -> Verdict:
    """All that was planned was done, and all that was broken came back."""
    failed = [f"{d.action} at {d.action.at:g} s: {d.error}" for d in done if d.error]
    problems = [f"{len(failed)} actions failed: {some(failed)}"] if failed else []
    if len(done) != planned:
        problems.append(f"{planned} actions were planned and {len(done)} were done")
    kinds = Counter(d.action.kind for d in done)
    missed = sum(bool(d.hit.note) for d in done)
    return conclude(
        "actions", len(done), {**kinds, "without effect": missed}, problems,
        wanted="each one done, and what it broke back",
        found=f"{len(done) - len(failed)} of {planned} done, {missed} of them without effect",
        allowed="0 failed",
    )  # fmt: skip


def requests(
    records: Sequence[Payment], sent: int, gateway: Sequence[AccessRecord], done: Sequence[Done]
) -> Verdict:
    """Every request has an answer; each that failed was at a svca that was killed just then.

    Where it was is the gateway's word: ``gateway`` is its access log of this run.
    """
    failed = [r for r in records if not r.answered]
    broken = [r for r in gateway if has_failed(r)]
    kills = [d for d in done if may_fail(d) and not d.error]
    strange = [r for r in broken if not any(_at(r, kill) for kill in kills)]
    untimely = [r for r in failed if not any(_during(r.time, r.end, d) for d in kills)]
    # None was sent to a killed one later than this: so long the gateway took to know.
    noticed = [_began(r) - kill.began for r in broken for kill in kills if _at(r, kill)]
    problems = _unequal(records, sent, gateway) + _unexplained(strange, untimely)
    if unpaid := sum(r.answered and not r.paid for r in records):
        problems.append(f"{unpaid} were answered and not paid")
    return conclude(
        "requests", len(records),
        {"sent": sent, "answered": len(records) - len(failed), "failed": len(failed),
         "svca_kills": len(kills)},
        problems,
        wanted="an answer to each; failures only at a svca that is being killed",
        found=f"{len(failed)} of {sent} failed, all but {len(strange)} at one of {len(kills)}"
        " killed svcas",
        allowed="what is on its way through a svca when it is killed",
        figures={"last_sent_after_kill_s": round(max(0.0, *noticed), 3)} if noticed else None,
    )  # fmt: skip


def _unequal(records: Sequence[Payment], sent: int, gateway: Sequence[AccessRecord]) -> list[str]:
    """Three accounts of the same requests: Locust's, the records', the gateway's."""
    problems = []
    if not sent == len(records) == len(gateway):
        problems.append(
            f"{sent} requests were sent, {len(records)} are accounted for, and {len(gateway)} "
            "entered by the gateway"
        )
    failed, broken = sum(not r.answered for r in records), sum(map(has_failed, gateway))
    if failed != broken:
        problems.append(f"{failed} failed at the payer and {broken} at the gateway")
    return problems


def _unexplained(strange: Sequence[AccessRecord], untimely: Sequence[Payment]) -> list[str]:
    """Failures at no replica that was killed, by the gateway; and at no such time, by the payer."""
    failures = [
        f"{r.code} {r.flags} {r.details} at {r.time} from {r.upstream_host}" for r in strange
    ]
    late = [f"{r.status} {r.error} at {r.time:.3f}" for r in untimely]
    problems = []
    if failures:
        problems.append(f"{len(failures)} failed at no replica that was killed: {some(failures)}")
    if late:
        problems.append(f"{len(late)} failed while no svca was killed: {some(late)}")
    return problems


def notifications(records: Sequence[Payment], done: Sequence[Done]) -> Verdict:
    """Who was not notified was told so, with a reason, while msgd could not be reached; and where
    the way out was closed, nobody was told otherwise."""
    reasons = [d for d in done if may_not_notify(d)]
    refused = [r for r in records if r.answered and not r.notified]
    silent = sum(not r.reason for r in refused)
    strange = [r for r in refused if not any(_during(r.time, r.end, d) for d in reasons)]
    closed = [d.hit.closed for d in done if d.hit.closed]
    inside = [r for r in records if any(a <= r.time and r.end <= b for a, b in closed)]
    lied = sum(r.notified for r in inside)
    problems = []
    if silent:
        problems.append(f"{silent} were not notified and not told why")
    if strange:
        seen = [f"{r.reason} at {r.time:.3f} by {r.version or 'nobody'}" for r in strange]
        problems.append(f"{len(strange)} were not notified though msgd was there: {some(seen)}")
    if lied:
        problems.append(f"{lied} were told notified while the way out was closed")
    why = Counter(r.reason for r in refused)
    return conclude(
        "told", len(records),
        {**{f"told {reason}": n for reason, n in why.items()}, "while_closed": len(inside)},
        problems,
        wanted="not notified only while msgd cannot be reached, and told why",
        found=f"{len(refused)} not notified, {len(strange)} of them without cause; {lied} of"
        f" {len(inside)} told notified while the way out was closed",
        allowed="0 without cause, 0 told wrongly",
    )  # fmt: skip


def messages(
    records: Sequence[Payment], stored: Sequence[Message], gateway: Iterable[AccessRecord]
) -> Verdict:
    """Each id answered ``notified: true`` is in msgd's store exactly once, and nothing is there
    that nobody paid for: a message without an answer belongs to a request that failed."""
    notified = Counter(r.message_id for r in records if r.answered and r.notified)
    known = {r.message_id for r in records if r.message_id}
    held = Counter(m["id"] for m in stored)
    lost = [i for i in notified if not held[i]]
    doubled = [i for i, n in held.items() if n > 1]
    unsafe = {r.trace_id for r in gateway if has_failed(r)}
    unanswered = [m for m in stored if m["id"] not in known]
    strange = [m["id"] for m in unanswered if m["trace_id"] not in unsafe]
    shared = [i or "(no id)" for i, n in notified.items() if n > 1 or not i]
    problems = [
        f"{len(ids)} messages {what}: {some(ids)}"
        for ids, what in (
            (lost, "were answered notified and are not in msgd's store"),
            (doubled, "are in msgd's store more than once"),
            (strange, "are in msgd's store and belong to no request"),
            (shared, "were answered to more than one payer, or have no id"),
        )
        if ids
    ]
    late = sum(1 for i in held if i in known and i not in notified)
    return conclude(
        "messages", sum(notified.values()),
        {"notified": sum(notified.values()), "stored": len(stored), "lost": len(lost),
         "doubled": len(doubled), "of_failed_requests": len(unanswered),
         "arrived_though_told_not": late},
        problems,
        wanted="each notified one in msgd's store exactly once",
        found=f"{sum(notified.values())} notified, {len(lost)} lost, {len(doubled)} doubled,"
        f" {len(strange)} of nobody",
        allowed="0",
    )  # fmt: skip


def _during(begin: float, end: float, done: Done) -> bool:
    return begin <= done.ended and done.began <= end


def _began(record: AccessRecord) -> float:
    return datetime.fromisoformat(record.time).timestamp()


def _at(record: AccessRecord, kill: Done) -> bool:
    """Whether a request was at the replica that this kill hit, while it was down."""
    begin = _began(record)
    there = record.upstream_host.rpartition(":")[0] == kill.hit.address
    # Envoy writes whole milliseconds, rounded down.
    return there and _during(begin, begin + record.duration_ms / 1000 + 0.002, kill)
