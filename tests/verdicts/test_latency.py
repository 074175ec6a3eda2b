"""A quantile below a time: by enough evidence only."""

from __future__ import annotations

import pytest

from meshproof.verdicts.latency import latency_below


def durations(fast: int, slow: int) -> list[float]:
    return [0.1] * fast + [2.0] * slow


def test_a_quantile_is_bounded() -> None:
    verdict = latency_below("p99", durations(1119, 1), seconds=0.5).require()
    assert (verdict.number("p50_s"), verdict.number("p99_s"), verdict.number("max_s")) == (
        0.1, 0.1, 2.0,
    )  # fmt: skip


@pytest.mark.parametrize("waits", [durations(0, 24), durations(980, 20), durations(100, 0), []])
def test_slow_or_few_requests_bound_nothing(waits: list[float]) -> None:
    verdict = latency_below("p99", waits, seconds=0.5)
    assert not verdict.passed
    assert ("slower than 0.5 s" if waits else "no evidence") in "; ".join(verdict.problems)
