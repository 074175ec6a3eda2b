"""Failed requests and the account of payments and messages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.mesh import AccessRecord
from meshproof.traffic.record import Record
from meshproof.verdicts.requests import accounting, failures, no_failures

GOOD = Record(1.0, 0.01, 200, version="v0.1", paid=True, notified=True, message_id="m")
LOGGED = AccessRecord(
    "svca", "outbound", "", "GET", "/notify", "svcb", 200, "-", "", 3, "c", "127.1.1.1:80",
    "", "", "", "run",
)  # fmt: skip


def good(n: int) -> list[Record]:
    return [replace(GOOD, message_id=f"m{i}") for i in range(n)]


def test_all_good_passes() -> None:
    verdict = no_failures("ok", good(5), [LOGGED], sent=5).require()
    assert verdict.counts == {"sent": 5, "failed": 0, "log_records": 1, "log_5xx": 0}


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(GOOD, status=503), "status 503"),
        (replace(GOOD, status=0, error="connection refused"), "connection refused"),
        (replace(GOOD, error="the body is not JSON"), "the body is not JSON"),
        (replace(GOOD, paid=False), "not paid"),
        (replace(GOOD, notified=False, reason="refused"), "not notified (refused)"),
    ],
)
def test_one_failed_request_fails(bad: Record, why: str) -> None:
    assert failures([GOOD, bad], notified=True) == [why]
    assert why in no_failures("bad", [*good(4), bad], [LOGGED], sent=5).sentence


def test_no_notification_is_no_failure_where_egress_is_closed() -> None:
    told = replace(GOOD, notified=False, reason="refused")
    assert no_failures("closed", [told], [LOGGED], sent=1, notified=False).passed


@pytest.mark.parametrize(("code", "flags"), [(503, "UF"), (500, "-"), (0, "DC")])
def test_a_failure_in_any_access_log_fails(code: int, flags: str) -> None:
    hidden = replace(LOGGED, code=code, flags=flags)
    verdict = no_failures("hidden", good(2), [LOGGED, hidden], sent=2)
    assert f"1 x svca outbound {code} {flags}" in verdict.sentence


@pytest.mark.parametrize("notified", [True, False])
def test_an_answer_that_broke_off_fails_whatever_its_code(notified: bool) -> None:
    details = "upstream_reset_after_response_started{connection_termination}"
    half = replace(LOGGED, flags="UC", details=details)
    verdict = no_failures("half", good(2), [LOGGED, half], sent=2, notified=notified)
    assert "1 x svca outbound 200 UC broke off" in verdict.sentence


def test_the_refusal_of_a_closed_egress_is_the_only_5xx_let_through() -> None:
    told = replace(GOOD, notified=False, reason="refused")
    refusal = replace(LOGGED, code=502)
    assert no_failures("closed", [told], [refusal], sent=1, notified=False).passed
    assert not no_failures("open", [GOOD], [refusal], sent=1).passed
    for other in (replace(refusal, code=503), replace(refusal, direction="gateway")):
        assert not no_failures("closed", [told], [other], sent=1, notified=False).passed


def test_no_requests_no_logs_and_lost_requests_fail() -> None:
    assert not no_failures("none", [], [LOGGED], sent=0).passed
    assert "no sidecar logged" in no_failures("blind", good(1), [], sent=1).sentence
    assert "3 requests were sent" in no_failures("lost", good(2), [LOGGED], sent=3).sentence


def test_a_request_that_was_silently_repeated_fails() -> None:
    entered = replace(LOGGED, direction="gateway")
    assert no_failures("once", good(2), [entered] * 2, sent=2).passed
    twice = no_failures("twice", good(2), [entered] * 3, sent=2)
    assert "2 requests were sent and 3 entered" in twice.sentence


def test_the_account_adds_up() -> None:
    told = replace(GOOD, notified=False, reason="timeout", message_id="t")
    failed = Record(1.0, 0.1, 503)
    verdict = accounting("account", [*good(3), told, failed], sent=5).require()
    assert verdict.counts == {
        "sent": 5, "answered": 4, "failed": 1, "paid": 4, "notified": 3, "not_notified": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("records", "sent", "why"),
    [
        ([], 0, "no evidence"),
        (good(2), 3, "3 requests were sent"),
        ([replace(GOOD, notified=False)], 1, "1 were told nothing"),
        ([GOOD, GOOD], 2, "used twice"),
        ([replace(GOOD, message_id="")], 1, "no message id"),
    ],
)
def test_an_account_that_does_not_add_up_fails(records: list[Record], sent: int, why: str) -> None:
    assert why in accounting("account", records, sent=sent).sentence
