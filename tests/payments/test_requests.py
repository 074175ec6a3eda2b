"""Failed payments: more than their status says so; and the one 5xx that is no failure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2e.payments.payment import Payment
from e2e.payments.requests import failures, no_failures, switched
from meshproof.mesh import AccessRecord
from meshproof.verdicts.switch import SwitchTimes

GOOD = Payment(1.0, 0.01, 200, version="v0.1", paid=True, notified=True, message_id="m")
LOGGED = AccessRecord(
    "svca", "outbound", "", "GET", "/notify", "svcb", 200, "-", "", 3, "c", "127.1.1.1:80",
    "", "", "", "run",
)  # fmt: skip


def good(n: int) -> list[Payment]:
    return [replace(GOOD, message_id=f"m{i}") for i in range(n)]


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
def test_one_failed_request_fails(bad: Payment, why: str) -> None:
    assert failures([GOOD, bad], notified=True) == [why]
    assert why in no_failures("bad", [*good(4), bad], [LOGGED], sent=5).sentence


def test_no_notification_is_no_failure_where_egress_is_closed() -> None:
    refused = replace(GOOD, notified=False, reason="refused")
    assert no_failures("closed", [refused], [LOGGED], sent=1, notified=False).passed


@pytest.mark.parametrize("notified", [True, False])
def test_an_answer_that_broke_off_fails_whatever_its_code(notified: bool) -> None:
    details = "upstream_reset_after_response_started{connection_termination}"
    half = replace(LOGGED, flags="UC", details=details)
    verdict = no_failures("half", good(2), [LOGGED, half], sent=2, notified=notified)
    assert "1 x svca outbound 200 UC broke off" in verdict.sentence


def test_the_refusal_of_a_closed_egress_is_the_only_5xx_let_through() -> None:
    refused = replace(GOOD, notified=False, reason="refused")
    refusal = replace(LOGGED, code=502)
    assert no_failures("closed", [refused], [refusal], sent=1, notified=False).passed
    assert not no_failures("open", [GOOD], [refusal], sent=1).passed
    for other in (replace(refusal, code=503), replace(refusal, direction="gateway")):
        assert not no_failures("closed", [refused], [other], sent=1, notified=False).passed


def test_a_switch_that_leaves_a_payer_without_notice_fails() -> None:
    before = [replace(GOOD, time=9 + i / 200) for i in range(150)]
    after = [replace(GOOD, time=11 + i / 200, version="v0.2") for i in range(150)]
    change = SwitchTimes(applied=10.0, live=10.01)
    assert switched("s", [*before, *after], change, old=["v0.1"], sent=300).passed
    after[0] = replace(after[0], notified=False)
    verdict = switched("s", [*before, *after], change, old=["v0.1"], sent=300)
    assert "1 requests failed: not notified" in verdict.sentence
