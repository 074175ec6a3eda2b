"""The account while things fail: every way to lie is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from meshproof.traffic.record import Record
from meshproof.verdicts.truth import truthful

PAID = Record(1.0, 0.01, 200, paid=True, notified=True, message_id="a")
TOLD = replace(PAID, notified=False, reason="error", message_id="b")
UNSURE = replace(TOLD, reason="timeout", message_id="c")
FAILED = Record(1.0, 0.01, 503)


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
def test_a_lie_is_found(records: Sequence[Record], stored: Sequence[str], why: str) -> None:
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
