"""Did every payment succeed? The library's verdict, with what ``/pay`` says beyond its status."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from e2e.payments.payment import Payment, payments
from meshproof.istio_names import EGRESS_REFUSED
from meshproof.mesh import AccessRecord
from meshproof.traffic.record import Record
from meshproof.verdicts import requests, switch
from meshproof.verdicts.requests import failure, has_failed
from meshproof.verdicts.switch import SwitchTimes
from meshproof.verdicts.verdict import Verdict


def payment_failure(payment: Payment) -> str:
    """Why a payment failed where msgd is up and allowed; empty where it did not fail. A failure is
    any answer but 200, a body that cannot be read, "not paid", and "not notified"."""
    why = _unpaid(payment)
    if why or payment.notified:
        return why
    return f"not notified ({payment.reason or 'no reason given'})"


def _unpaid(payment: Payment) -> str:
    return failure(payment) or ("" if payment.paid else "not paid")


def failures(records: Sequence[Record], *, notified: bool) -> list[str]:
    """Why each failed payment failed, one text per payment. With ``notified=False`` (egress is
    closed) a payer who is not notified is no failure."""
    why = payment_failure if notified else _unpaid
    return [reason for payment in payments(records) if (reason := why(payment))]


def no_failures(
    name: str,
    records: Sequence[Record],
    access_log: Sequence[AccessRecord],
    *,
    sent: int,
    notified: bool = True,
) -> Verdict:
    """``meshproof.verdicts.requests.no_failures`` for payments, each of which must be notified.

    With ``notified=False`` (egress is closed) nobody is, and a 502 beyond the gateway is the
    refusal itself, passed up from svcb's sidecar to svca: it is not counted.
    """
    return requests.no_failures(
        name,
        payments(records),
        access_log,
        sent=sent,
        why=payment_failure if notified else _unpaid,
        broken=has_failed if notified else _has_failed_otherwise,
    )


def switched(
    name: str, records: Sequence[Record], change: SwitchTimes, *, old: Collection[str], sent: int
) -> Verdict:
    """``meshproof.verdicts.switch.switched`` for payments, each of which must be notified."""
    return switch.switched(name, payments(records), change, old=old, sent=sent, why=payment_failure)


def _has_failed_otherwise(record: AccessRecord) -> bool:
    """Failed by more than the refusal of a closed egress."""
    refusal = record.code == EGRESS_REFUSED and record.direction != "gateway"
    return has_failed(record) and (not refusal or record.details.startswith(requests.BROKEN_OFF))
