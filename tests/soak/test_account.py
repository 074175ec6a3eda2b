"""The accounting must find one lost, one doubled, one unexplained."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from e2e.payments.payment import Payment
from meshproof.mesh import AccessRecord
from soak import account
from soak.actions import ActionResult
from soak.plan import MSGD, Action
from soak.timeline import Done

T = 1_800_000_000.0
SVCA = "127.9.0.1"


def paid(n: int, at: float, **more: object) -> Payment:
    record = Payment(T + at, 0.01, 200, version="v0.1", paid=True, notified=True,
                  message_id=f"m{n}", trace_id=f"t{n}")  # fmt: skip
    return replace(record, **more)  # type: ignore[arg-type]  # any field


def logged(n: int, at: float, code: int = 200, host: str = f"{SVCA}:8080") -> AccessRecord:
    time = datetime.fromtimestamp(T + at, UTC).isoformat(timespec="milliseconds")
    return AccessRecord(
        "gateway", "gateway", time, "GET", "/pay", "x", code, "-", "", 10, "", host, "", "",
        f"t{n}", "run",
    )  # fmt: skip


def done(kind: str, on: str, begin: float, end: float, hit: ActionResult | None = None) -> Done:
    return Done(Action(begin, "fault", kind, on), T + begin, T + end, hit or ActionResult())


KILL = done("kill", "svca", 1, 2, ActionResult("svca-1", SVCA))
DEAD = Payment(T + 1, 0.01, 503)
RECORDS = [paid(n, n / 10) for n in range(20)]
LOG = [logged(n, n / 10) for n in range(20)]
STORED = [{"id": f"m{n}", "trace_id": f"t{n}"} for n in range(20)]


def test_a_run_without_a_fault_adds_up() -> None:
    assert account.requests(RECORDS, 20, LOG, []).passed
    assert account.notifications(RECORDS, []).passed
    verdict = account.messages(RECORDS, STORED, LOG)
    assert verdict.passed
    assert verdict.n == 20


def test_no_evidence_is_no_pass() -> None:
    assert not account.requests([], 0, [], []).passed
    assert not account.notifications([], []).passed
    assert not account.messages([], [], []).passed
    assert not account.actions([], 0).passed


def test_one_lost_message_is_found() -> None:
    verdict = account.messages(RECORDS, STORED[:7] + STORED[8:], LOG)
    assert "1 messages were answered notified and are not in msgd's store: m7" in verdict.problems


def test_one_doubled_message_is_found() -> None:
    verdict = account.messages(RECORDS, [*STORED, STORED[3]], LOG)
    assert verdict.problems == ("1 messages are in msgd's store more than once: m3",)


def test_a_message_of_nobody_is_found_and_one_of_a_failed_request_is_none() -> None:
    more = [*STORED, {"id": "m99", "trace_id": "t99"}]
    assert "belong to no request: m99" in account.messages(RECORDS, more, LOG).problems[0]
    assert account.messages(RECORDS, more, [*LOG, logged(99, 1, 503)]).passed


def test_a_message_id_that_two_payers_got_is_found() -> None:
    twice = [*RECORDS, replace(RECORDS[0])]
    assert "more than one payer" in account.messages(twice, STORED, LOG).problems[0]


def test_what_failed_at_a_svca_that_was_killed_is_allowed() -> None:
    verdict = account.requests([*RECORDS, DEAD], 21, [*LOG, logged(21, 1, 503)], [KILL])
    assert verdict.passed
    assert verdict.counts["failed"] == 1


def test_an_answer_that_broke_off_at_a_svca_that_was_killed_is_a_failure_as_well() -> None:
    cut = replace(logged(21, 1), details="upstream_reset_after_response_started{protocol_error}")
    half = replace(DEAD, status=0, error="broke off after status 200")
    assert account.requests([*RECORDS, half], 21, [*LOG, cut], [KILL]).passed
    assert not account.requests([*RECORDS, half], 21, [*LOG, cut], []).passed
    more = [*STORED, {"id": "m99", "trace_id": "t21"}]
    assert account.messages([*RECORDS, half], more, [*LOG, cut]).passed


def test_what_failed_elsewhere_or_at_another_time_is_not() -> None:
    for host, at in (("127.9.0.2:8080", 1.0), (f"{SVCA}:8080", 3.0)):
        log = [*LOG, logged(21, at, 503, host)]
        verdict = account.requests([*RECORDS, replace(DEAD, time=T + at)], 21, log, [KILL])
        assert "1 failed at no replica that was killed" in verdict.problems[0]


def test_what_failed_while_svcb_was_killed_is_not() -> None:
    kill = done("kill", "svcb-v0.1", 1, 2, ActionResult("svcb-1", SVCA))
    assert not account.requests([*RECORDS, DEAD], 21, [*LOG, logged(21, 1, 503)], [kill]).passed


def test_a_request_without_an_answer_and_one_that_entered_twice_are_found() -> None:
    assert not account.requests(RECORDS, 21, LOG, []).passed
    assert not account.requests(RECORDS, 20, [*LOG, LOG[0]], []).passed
    assert not account.requests([*RECORDS[1:], replace(RECORDS[0], paid=False)], 20, LOG, []).passed


def untold(reason: str = "refused", at: float = 1.0) -> Payment:
    return paid(50, at, notified=False, reason=reason)


def test_not_notified_is_allowed_while_msgd_cannot_be_reached() -> None:
    for cause in (done("kill", MSGD, 0.9, 1.1), done("close egress", "", 0.9, 1.1)):
        assert account.notifications([*RECORDS, untold()], [cause]).passed


def test_not_notified_without_a_cause_or_a_reason_is_found() -> None:
    assert (
        "though msgd was there" in account.notifications([*RECORDS, untold()], [KILL]).problems[0]
    )
    cause = done("pause", MSGD, 0.9, 1.1)
    assert "not told why" in account.notifications([*RECORDS, untold("")], [cause]).problems[0]


def test_told_notified_while_the_way_out_was_closed_is_found() -> None:
    closed = done("close egress", "", 0.85, 1.2, ActionResult(closed=(T + 0.88, T + 1.15)))
    verdict = account.notifications(RECORDS, [closed])
    assert verdict.problems == ("3 were told notified while the way out was closed",)


def test_an_action_that_failed_or_was_left_out_is_found() -> None:
    assert account.actions([KILL], 1).passed
    assert not account.actions([KILL], 2).passed
    assert "NotBack" in account.actions([replace(KILL, error="NotBack: x")], 1).problems[0]


def test_what_was_done_survives_being_written_down() -> None:
    closed = done("close egress", "", 1, 2, ActionResult(closed=(1.0, 2.0)))
    assert [Done.from_dict(d.as_dict()) for d in (KILL, closed)] == [KILL, closed]
