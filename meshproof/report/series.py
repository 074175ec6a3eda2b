"""A load over time: for each interval who answered, what failed, how long answers took. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from meshproof.traffic.record import Record

_BINS = 60
"""At most; more would not be easier to read."""
_PER_BIN = 25
"""Requests per bin on average, at least: fewer say little about a share."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The requests that were sent in one interval."""

    versions: dict[str, int]
    """Version that answered -> answers; ``""`` where an answer names none."""
    failed: int
    p50: float | None
    """Milliseconds, of the answered requests; None where none was answered."""
    p99: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """One load."""

    start: float
    """When its first request was sent, in Unix seconds."""
    width: float
    """Seconds a bin."""
    sent: int
    failed: int
    rate: float
    """Requests per second, over the whole load."""
    p50: float | None
    p90: float | None
    p99: float | None
    longest: float | None
    bins: tuple[Bin, ...] = field(default=())


def build_series(records: Sequence[Record]) -> Series | None:
    """None without a request: there is nothing to draw."""
    if not records:
        return None
    start = min(record.time for record in records)
    last = max(record.time for record in records)
    seconds = max(record.end for record in records) - start
    count = max(1, min(_BINS, len(records) // _PER_BIN))
    width = max((last - start) / count, 1e-3)
    parts: list[list[Record]] = [[] for _ in range(count)]
    for record in records:
        parts[min(int((record.time - start) / width), count - 1)].append(record)
    waits = _waits(records)
    return Series(
        start, width, len(records), sum(not r.answered for r in records),
        len(records) / seconds if seconds else 0.0,
        quantile(waits, 0.5), quantile(waits, 0.9), quantile(waits, 0.99), quantile(waits, 1.0),
        tuple(map(_bin, parts)),
    )  # fmt: skip


def _bin(records: Sequence[Record]) -> Bin:
    answered = [record for record in records if record.answered]
    versions = Counter(record.version for record in answered)
    waits = _waits(records)
    failed = len(records) - len(answered)
    return Bin(dict(sorted(versions.items())), failed, quantile(waits, 0.5), quantile(waits, 0.99))


def _waits(records: Sequence[Record]) -> list[float]:
    return sorted(1000 * record.elapsed for record in records if record.answered)


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least ``share`` of them do not exceed; None without values."""
    if not ordered:
        return None
    return round(ordered[max(math.ceil(share * len(ordered)), 1) - 1], 3)
