"""The account of payments: it adds up, and every false answer is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from e2e.payments.accounting import adds_up, truthful
from e2e.payments.payment import Payment

PAID = Payment(1.0, 0.01, 200, paid=True, notified=True, message_id="a")
TOLD = replace(PAID, notified=False, reason="error", message_id="b")
UNSURE = replace(TOLD, reason="timeout", message_id="c")
FAILED = Payment(1.0, 0.01, 503)


def paid(n: int) -> list[Payment]:
    return [replace(PAID, message_id=f"m{i}") for i in range(n)]


def test_the_account_adds_up() -> None:
    unnotified = replace(PAID, notified=False, reason="timeout", message_id="t")
    failed = Payment(1.0, 0.1, 503)
    verdict = adds_up("account", [*paid(3), unnotified, failed], sent=5).require()
    assert verdict.counts == {
        "sent": 5, "answered": 4, "failed": 1, "paid": 4, "notified": 3, "not_notified": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("records", "sent", "why"),
    [
        ([], 0, "no evidence"),
        (paid(2), 3, "3 requests were sent"),
        ([replace(PAID, notified=False)], 1, "1 were told nothing"),
        ([PAID, PAID], 2, "used twice"),
        ([replace(PAID, message_id="")], 1, "no message id"),
    ],
)
def test_an_account_that_does_not_add_up_fails(records: list[Payment], sent: int, why: str) -> None:
    assert why in adds_up("account", records, sent=sent).sentence


def test_failing_is_no_lie() -> None:
    records = [PAID, TOLD, UNSURE, FAILED]
    verdict = truthful("all", records, ["a", "c", "of-the-failed"], sent=4, dropped=2).require()
    assert verdict.counts == {
        "sent": 4, "failed": 1, "paid": 3, "notified": 1, "not_notified": 2, "stored": 3,
        "stored_though_told_not": 1, "dropped": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("records", "stored", "why"),
    [
        ([], [], "no evidence"),
        ([PAID], [], "1 messages were reported notified and are not stored: a"),
        ([PAID], ["a", "a"], "1 messages are stored more than once: a"),
        ([PAID, PAID], ["a"], "1 message ids stand for several payments: a"),
        ([TOLD], ["b"], "1 messages are stored, and their payers were told for sure"),
        ([PAID], ["a", "x"], "1 stored messages belong to no payment, and only 0 requests failed"),
        ([replace(TOLD, reason="")], [], "1 payers were told nothing"),
        ([replace(PAID, paid=False)], ["a"], "1 requests were answered 200 and not paid"),
        ([replace(PAID, message_id="")], [], "1 payments have no message id"),
        ([replace(PAID, error="garbled")], [], "1 answers cannot be understood: garbled"),
    ],
)
def test_a_lie_is_found(records: Sequence[Payment], stored: Sequence[str], why: str) -> None:
    verdict = truthful("lie", records, stored, sent=len(records))
    assert not verdict.passed
    assert why in verdict.sentence


def test_a_request_without_an_account_is_found() -> None:
    assert "2 requests were sent and 1 are" in truthful("gone", [PAID], ["a"], sent=2).sentence


def test_a_request_that_was_done_twice_is_found() -> None:
    traces = {"a": "t1", "x": "t1", "y": "t2"}
    verdict = truthful("twice", [PAID, FAILED, FAILED], ["a", "x", "y"], sent=3, traces=traces)
    assert verdict.problems == ("1 requests left several messages: traces t1",)
    alone = {"a": "t1", "x": "t2", "y": "t3"}
    assert truthful("once", [PAID, FAILED, FAILED], ["a", "x", "y"], sent=3, traces=alone).passed
