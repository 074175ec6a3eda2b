"""Goodput under overload: what passes, what fails, and what is no evidence."""

from __future__ import annotations

import pytest

from meshproof.traffic.record import Record
from meshproof.verdicts.overload import Flow, goodput_holds, nobody_hangs, offered, served
from meshproof.verdicts.verdict import Verdict

PEAK = Flow(80, 2.0)


def judged(good: int, sent: int = 800, peak: Flow = PEAK) -> Verdict:
    return goodput_holds("g", peak, Flow(sent, 4.0), Flow(good, 4.0), times=5, within=0.2)


@pytest.mark.parametrize(("good", "passes"), [(160, True), (128, True), (127, False), (0, False)])
def test_a_fifth_less_is_allowed(good: int, passes: bool) -> None:
    verdict = judged(good)
    assert verdict.passed is passes
    assert verdict.number("of_peak") == pytest.approx(good / 160)
    assert verdict.number("times") == 5


def test_too_little_load_is_no_overload() -> None:
    assert judged(160, sent=721).passed
    for good in (160, 0):  # nor does it show a collapse
        (problem,) = judged(good, sent=719).problems
        assert "this is no such overload" in problem


def test_no_peak_and_no_load_are_no_evidence() -> None:
    assert not judged(160, peak=Flow(0, 2.0)).passed
    assert not judged(0, sent=0).passed
    assert Flow(0, 0.0).rate == 0


def record(time: float, elapsed: float, status: int = 200, *, sold: bool = True) -> Record:
    return Record(time, elapsed, status, extra={"sold": sold})


def test_only_what_happened_in_the_window_counts() -> None:
    records = [
        record(0.9, 0.2),
        record(1.0, 0.2),
        record(1.9, 0.2),
        record(1.2, 0.1, 503),
        record(1.2, 0.1, sold=False),
        record(1.3, 0.5, 0),
    ]
    window = (1.0, 2.0)
    assert offered(records, window) == Flow(5, 1.0)
    assert served(records, window) == Flow(3, 1.0)
    good = lambda r: r.answered and r.extra["sold"]  # noqa: E731
    assert served(records, window, good) == Flow(2, 1.0)


def test_whoever_waits_for_nothing_is_counted() -> None:
    good = [record(0, 0.1)] * 50
    refused = [record(0, 0.1, 429)] * 50
    assert nobody_hangs("n", [*good, *refused], refusal=429).passed
    assert nobody_hangs("n", [*good, *refused[1:], record(0, 1, 0)], refusal=429).passed
    late = [record(0, 1, 0)] * 2
    assert not nobody_hangs("n", [*good, *refused[2:], *late], refusal=429).passed
    assert not nobody_hangs("n", good, refusal=429).passed
    assert not nobody_hangs("n", [*good, *refused], refusal=503).passed
    assert not nobody_hangs("n", [], refusal=429).passed
