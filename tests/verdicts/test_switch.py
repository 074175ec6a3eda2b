"""The switch under load: one failed or one late request is enough to fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.traffic.record import Record
from meshproof.verdicts.switch import SwitchTimes, switched
from meshproof.verdicts.verdict import Verdict

CHANGE = SwitchTimes(applied=10.0, live=10.01)


def answer(time: float, version: str) -> Record:
    return Record(time, 0.002, 200, version=version)


BEFORE = [answer(9 + i / 200, f"v0.{1 + i % 2}") for i in range(150)]
AFTER = [answer(11 + i / 200, "v0.2") for i in range(150)]


def judge(records: list[Record], sent: int | None = None) -> Verdict:
    count = len(records) if sent is None else sent
    return switched("switch", records, CHANGE, old=("v0.1",), sent=count)


def test_a_clean_switch_passes_and_times_the_last_old_answer() -> None:
    verdict = judge([*BEFORE, answer(10.005, "v0.1"), *AFTER]).require()
    assert verdict.number("apply_to_live_s") == pytest.approx(0.01)
    assert verdict.number("apply_to_last_old_answer_s") == pytest.approx(0.007)
    assert verdict.counts["old_before"] == 75


def test_an_old_answer_to_a_request_sent_before_live_is_no_fault() -> None:
    slow = replace(answer(10.009, "v0.1"), elapsed=0.5)
    assert judge([*BEFORE, slow, *AFTER]).passed


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([*BEFORE, *AFTER, answer(12.0, "v0.1")], "1 old answers after live, the last 1.99"),
        ([*BEFORE, *AFTER, Record(10.005, 0.1, 503)], "1 requests failed: status 503"),
        ([*BEFORE, *AFTER, replace(answer(12.0, "v0.2"), error="garbled")], "failed: garbled"),
        ([*BEFORE, *AFTER[:50]], "50 requests after the change; wanted 100"),
        ([*BEFORE[:50], *AFTER], "50 requests before the change; wanted 100"),
        ([answer(r.time, "v0.2") for r in BEFORE] + AFTER, "nothing was switched"),
        ([], "no evidence"),
    ],
)
def test_what_must_not_pass(records: list[Record], why: str) -> None:
    assert why in judge(records).sentence


def test_a_lost_request_fails() -> None:
    assert "301 requests were sent and 300" in judge([*BEFORE, *AFTER], sent=301).sentence
