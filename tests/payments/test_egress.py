"""Egress: both facts, the control, and every way to be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from e2e.payments.egress import allowed, blocked, reachable
from e2e.payments.payment import Payment

TOLD = Payment(1.0, 0.01, 200, version="v0.1", paid=True, reason="refused", message_id="x")
CONTROL = reachable("control", [200, 200])


def refused(n: int) -> list[Payment]:
    return [replace(TOLD, message_id=f"m{i}") for i in range(n)]


def notified(n: int) -> list[Payment]:
    return [replace(TOLD, notified=True, reason="", message_id=f"m{i}") for i in range(n)]


@pytest.mark.parametrize("statuses", [[], [200, 0], [502], [200, 404]])
def test_the_control_fails_without_answers(statuses: list[int]) -> None:
    assert not reachable("control", statuses).passed


def test_blocked_is_two_facts() -> None:
    verdict = blocked("closed", refused(5), [], CONTROL, refusal="refused").require()
    assert verdict.counts == {"requests": 5, "refused": 5, "stored": 0, "control": 2}


@pytest.mark.parametrize(
    ("records", "stored", "why"),
    [
        ([], [], "no evidence"),
        (refused(3), ["m1"], "msgd holds 1 messages of this run: m1"),
        ([*refused(3), *notified(1)], [], "3 of 4 callers"),
        ([*refused(3), replace(TOLD, reason="timeout")], [], "3 of 4 callers"),
        ([*refused(3), replace(TOLD, status=502)], [], "request failed: status 502"),
        ([*refused(3), replace(TOLD, paid=False)], [], "request failed: not paid"),
    ],
)
def test_half_blocked_fails(records: list[Payment], stored: Sequence[str], why: str) -> None:
    assert why in blocked("closed", records, stored, CONTROL, refusal="refused").sentence


def test_blocked_needs_its_control() -> None:
    down = reachable("control", [0, 0])
    verdict = blocked("closed", refused(5), [], down, refusal="refused")
    assert "the positive control did not pass" in verdict.sentence


def test_allowed_means_exactly_once() -> None:
    verdict = allowed("open", notified(3), ["m0", "m1", "m2"]).require()
    assert verdict.counts["notified"] == verdict.counts["stored"] == 3


@pytest.mark.parametrize(
    ("records", "stored", "why"),
    [
        ([], [], "no evidence"),
        (notified(3), ["m0", "m1"], "1 messages were reported notified and are not in msgd: m2"),
        (notified(2), ["m0", "m1", "m1"], "1 messages are in msgd more than once: m1"),
        (notified(2), ["m0", "m1", "zz"], "belong to no request of this run: zz"),
        ([*notified(2), *refused(0), replace(TOLD, message_id="t")], ["m0", "m1"], "not notified"),
        ([*notified(1), *notified(1)], ["m0"], "missing or not unique"),
        ([replace(TOLD, notified=True, message_id="")], [], "missing or not unique"),
    ],
)
def test_allowed_with_a_difference_fails(
    records: list[Payment], stored: Sequence[str], why: str
) -> None:
    assert why in allowed("open", records, stored).sentence


def test_some_may_be_told_that_it_failed_but_none_may_be_told_nothing() -> None:
    late = replace(TOLD, reason="timeout", message_id="late")
    verdict = allowed("some", [*notified(2), late], ["m0", "m1", "late"], every=False).require()
    assert verdict.counts["stored_though_told_not"] == 1
    silent = replace(TOLD, reason="", message_id="s")
    assert (
        "1 callers were not told"
        in allowed("some", [*notified(2), silent], ["m0", "m1"], every=False).sentence
    )
