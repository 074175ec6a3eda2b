"""A load over time."""

from __future__ import annotations

import pytest

from meshproof.report.series import build_series, quantile
from meshproof.traffic.record import Record


def _load(count: int, *, every: float = 0.01) -> list[Record]:
    """Every fourth of v0.1; every tenth failed."""
    return [
        Record(100 + every * i, 0.02, 500 if i % 10 == 9 else 200, version=f"v0.{1 + bool(i % 4)}")
        for i in range(count)
    ]


def test_nothing_is_drawn_of_nothing() -> None:
    assert build_series([]) is None


@pytest.mark.parametrize("count", [1, 24, 60, 1000, 5000])
def test_every_request_is_in_one_bin(count: int) -> None:
    load = build_series(list(reversed(_load(count))))
    assert load is not None
    answered = sum(sum(one.versions.values()) for one in load.bins)
    failed = sum(one.failed for one in load.bins)
    assert (load.sent, load.failed) == (count, count // 10)
    assert (answered + failed, failed) == (count, count // 10)
    assert 1 <= len(load.bins) <= 60
    assert load.start == 100


def test_bins_follow_time() -> None:
    early = [Record(float(i) / 100, 0.001, 200, version="old") for i in range(100)]
    late = [Record(1 + float(i) / 100, 0.1, 200, version="new") for i in range(100)]
    load = build_series([*early, *late])
    assert load is not None
    assert set(load.bins[0].versions) == {"old"}
    assert set(load.bins[-1].versions) == {"new"}
    assert (load.bins[0].p50, load.bins[-1].p50) == (1.0, 100.0)


def test_a_bin_in_which_nothing_was_answered_has_no_latency() -> None:
    load = build_series([Record(1.0, 30.0, 0, error="timeout")])
    assert load is not None
    assert load.bins[0].p50 is None
    assert load.p99 is None


def test_quantiles_are_of_what_was_seen() -> None:
    load = [float(n) for n in range(1, 101)]
    assert [quantile(load, q) for q in (0.5, 0.9, 0.99, 1.0)] == [50, 90, 99, 100]
    assert quantile([7.0], 0.01) == 7
    assert quantile([], 0.5) is None
