"""The window in which an overload is judged."""

from __future__ import annotations

from e2e.payments.overload import TIMES, Overload
from meshproof.traffic.record import Record
from meshproof.traffic.results import Results
from meshproof.verdicts.overload import Flow

PEAK = Flow(10, 1.0)
PAYERS = 75


def crowd(arrival: float) -> Results:
    """Every payer arrives within so many seconds; then five times the peak is sent for 3 s, and as
    much as at the peak is served."""
    times = [arrival * number / PAYERS for number in range(PAYERS)]
    times += [arrival + 3 * number / 150 for number in range(150)]
    extra = {"paid": True, "notified": True, "reason": "", "message_id": "m"}
    records = [
        Record(at, 0.05, 200, extra=extra) if number % TIMES == 0 else Record(at, 0.01, 429)
        for number, at in enumerate(times)
    ]
    return Results("run", len(records), tuple(records))


def test_it_begins_when_the_crowd_has_arrived_however_long_that_took() -> None:
    for arrival in (1.5, 20.0):
        verdict = Overload(PEAK, PAYERS, crowd(arrival)).holds("goodput")
        assert verdict.passed, verdict
