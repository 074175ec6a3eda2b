"""A share below a bound, a quantile below a time: by enough evidence only."""

from __future__ import annotations

import pytest

from meshproof.traffic.record import Record
from meshproof.verdicts.bound import quick, share_below


def records(quick_ones: int, slow_ones: int) -> list[Record]:
    return [Record(0.0, 0.1, 200)] * quick_ones + [Record(0.0, 2.0, 504)] * slow_ones


@pytest.mark.parametrize(("hits", "n"), [(0, 690), (2, 1120)])
def test_enough_requests_show_it(hits: int, n: int) -> None:
    assert (
        share_below("rare", hits, n, below=0.01, what="late").require().number("upper_bound") < 0.01
    )


@pytest.mark.parametrize(("hits", "n"), [(0, 100), (8, 1000), (500, 1000), (0, 0)])
def test_too_few_or_too_many_do_not(hits: int, n: int) -> None:
    verdict = share_below("rare", hits, n, below=0.01, what="late")
    assert not verdict.passed
    assert ("no evidence" if not n else f"{hits} of {n} late") in verdict.sentence


def test_a_quantile_is_bounded() -> None:
    verdict = quick("p99", records(1119, 1), seconds=0.5).require()
    assert (verdict.number("p50_s"), verdict.number("p99_s"), verdict.number("max_s")) == (
        0.1, 0.1, 2.0,
    )  # fmt: skip


@pytest.mark.parametrize("found", [records(0, 24), records(980, 20), records(100, 0), []])
def test_slow_or_few_requests_bound_nothing(found: list[Record]) -> None:
    verdict = quick("p99", found, seconds=0.5)
    assert not verdict.passed
    assert ("slower than 0.5 s" if found else "no evidence") in "; ".join(verdict.problems)
