"""Times to notice and to recover are figures; that it happened at all is judged."""

from __future__ import annotations

import pytest

from meshproof.verdicts.recovery import fails_over, recovered

BEFORE = [10 + i / 100 for i in range(30)]
AFTER = [12 + i / 100 for i in range(30)]
OTHERS = [10 + i / 100 for i in range(300)]
KILLED = 11.0


def test_the_times_of_a_kill() -> None:
    verdict = fails_over("killed", KILLED, BEFORE + AFTER, [10.99, 11.05, 11.25], OTHERS).require()
    assert verdict.number("noticed_s") == pytest.approx(0.25)
    assert verdict.number("back_s") == pytest.approx(1.0)
    assert verdict.counts == {"before": 30, "tried_again": 3, "between": 74, "after": 30}


def test_a_kill_that_nobody_met_was_noticed_at_once() -> None:
    assert fails_over("killed", KILLED, BEFORE + AFTER, [], OTHERS).number("noticed_s") == 0


@pytest.mark.parametrize(
    ("served", "tried", "why"),
    [
        ([], [], "0 requests were answered by it before the kill"),
        (BEFORE, [], "0 requests were answered by it after the kill"),
        (AFTER, [], "0 requests were answered by it before the kill"),
        (BEFORE + AFTER, [9.0], "1 requests were tried twice before anything was killed"),
        (OTHERS, [], "requests were answered by others while it was left out"),
        (BEFORE + AFTER, [11.99], "0 requests were answered by others"),
    ],
)
def test_no_kill_is_told_from_one(served: list[float], tried: list[float], why: str) -> None:
    assert why in fails_over("killed", KILLED, served, tried, OTHERS).sentence


def test_the_times_of_a_recovery() -> None:
    ill = [(10 + i / 10, False) for i in range(15)]  # to 11.4, healed at 11.0
    well = [(11.05, True), *((12 + i / 10, True) for i in range(25))]
    verdict = recovered("healed", KILLED, ill + well).require()
    assert verdict.number("last_ill_s") == pytest.approx(0.4)
    assert verdict.number("first_well_s") == pytest.approx(0.05)
    assert verdict.counts["ill_after"] == 4


def test_what_was_never_ill_or_stays_ill_has_not_recovered() -> None:
    fine = [(12 + i / 10, True) for i in range(25)]
    assert "nothing went ill before" in recovered("fine", KILLED, fine).sentence
    ill = [(10 + i / 10, False) for i in range(40)]
    assert "0 requests went well after" in recovered("ill", KILLED, ill).sentence
    assert not recovered("nothing", KILLED, []).passed
