"""One payment as its payer saw it: a load's record with what the answer of ``/pay`` said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from meshproof.traffic.record import Record

_RECORD = tuple(field.name for field in fields(Record))


@dataclass(frozen=True, slots=True)
class Payment(Record):
    """The locustfile puts the answer's fields in ``Record.extra``; here they have types."""

    paid: bool = False
    notified: bool = False
    reason: str = ""
    """Why nobody was notified, as the payer was told."""
    message_id: str = ""


def payment(record: Record) -> Payment:
    """The record of a request to ``/pay`` as a payment; a Payment stays as it is."""
    if isinstance(record, Payment):
        return record
    return Payment(**{name: getattr(record, name) for name in _RECORD}, **record.extra)


def payments(records: Iterable[Record]) -> tuple[Payment, ...]:
    return tuple(map(payment, records))


def is_notified(record: Record) -> bool:
    """Whether the payment was answered, and its payer notified."""
    paid = payment(record)
    return paid.answered and paid.notified
