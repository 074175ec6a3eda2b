"""A payment is a record with the answer's fields."""

from __future__ import annotations

from dataclasses import replace

from e2e.payments.payment import Payment, is_notified, payment, payments
from meshproof.traffic.record import Record

EXTRA = {"paid": True, "notified": True, "reason": "", "message_id": "m"}
RECORD = Record(1.0, 0.5, 200, version="v0.1", trace_id="t", extra=EXTRA)


def test_the_fields_of_the_answer_have_types() -> None:
    (paid,) = payments([RECORD])
    assert (paid.paid, paid.notified, paid.message_id, paid.reason) == (True, True, "m", "")
    assert (paid.version, paid.trace_id, paid.end, paid.answered) == ("v0.1", "t", 1.5, True)
    assert payment(paid) is paid


def test_a_request_that_failed_is_a_payment_that_was_not_made() -> None:
    failed = payment(Record(1.0, 0.5, 503))
    assert (failed.paid, failed.notified, failed.answered) == (False, False, False)
    assert not is_notified(failed)
    assert not is_notified(replace(payment(RECORD), error="garbled"))
    assert is_notified(RECORD)
    assert isinstance(failed, Payment)
