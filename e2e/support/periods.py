"""A part of a load, by when its requests were sent or answered."""

from __future__ import annotations

from dataclasses import replace

from meshproof.traffic.results import Results


def ended_before(results: Results, moment: float) -> Results:
    """The requests that ended before a moment of the wall clock."""
    records = tuple(r for r in results.records if r.end < moment)
    return replace(results, sent=len(records), records=records)


def sent_after(results: Results, moment: float) -> Results:
    """The requests that were sent after it."""
    records = tuple(r for r in results.records if r.time > moment)
    return replace(results, sent=len(records), records=records)
