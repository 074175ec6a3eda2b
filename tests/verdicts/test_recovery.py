"""Times to notice and to recover are figures; that it happened at all is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.verdicts.recovery import ENOUGH, Meetings, fails_over, longest_outage, recovered
from tests.fakes.balancer import Balancer

BEFORE = [10 + i / 50 for i in range(50)]
AFTER = [12 + i / 50 for i in range(50)]
OTHERS = [10.001 + i / 100 for i in range(300)]
HEALED = 11.0
USERS = 8
ORDER = st.lists(st.integers(0, USERS - 1), min_size=1, max_size=600)
"""Who of the users gets the processor next, for how long whoever else waits."""


def test_the_times_of_a_kill() -> None:
    meetings = Meetings(BEFORE + AFTER, [10.99, 11.05, 11.25], OTHERS)
    verdict = fails_over("killed", meetings).require()
    assert verdict.number("noticed_s") == pytest.approx(0.27)  # 10.98 was its last answer
    assert verdict.number("back_s") == pytest.approx(1.02)
    assert verdict.counts == {"before": 50, "in_vain": 3, "between": 75, "after": 50}


def test_a_kill_that_nobody_met_was_noticed_at_once() -> None:
    assert fails_over("killed", Meetings(BEFORE + AFTER, [], OTHERS)).number("noticed_s") == 0


def test_the_last_request_before_a_kill_may_come_after_whoever_looked_at_the_clock() -> None:
    """What the victim answers while the kill is on its way is before the kill, not its return."""
    meetings = Meetings([*BEFORE, 11.0056, *AFTER], [11.0477], OTHERS)
    assert fails_over("killed", meetings).require().number("back_s") == pytest.approx(12 - 11.0056)


def test_a_replica_that_was_killed_twice_has_its_longest_outage_judged() -> None:
    between = [12.5 + i / 50 for i in range(50)]
    meetings = Meetings([*BEFORE, 11.2, *between], [11.0, 11.1, 11.25, 11.3], OTHERS)
    verdict = fails_over("killed", meetings).require()
    assert verdict.counts["between"] == sum(11.3 < t < 12.5 for t in OTHERS)


@pytest.mark.parametrize(
    ("served", "missed", "why"),
    [
        ([], [], "0 requests were answered by it before"),
        (BEFORE, [], "0 requests were answered by it after"),
        (AFTER, [], "0 requests were answered by it before"),
        (OTHERS, [], "in a row were answered by others while it was left out"),
        (BEFORE + AFTER, [11.33, 11.66], "in a row were answered by others while it was left out"),
    ],
)
def test_no_kill_is_told_from_one(served: list[float], missed: list[float], why: str) -> None:
    verdict = fails_over("killed", Meetings(served, missed, OTHERS))
    assert not verdict.passed
    assert why in verdict.sentence


@given(ORDER, st.booleans())
def test_a_replica_in_service_is_never_left_out_however_its_callers_are_delayed(
    order: list[int], slow: bool
) -> None:
    """Neither by a machine that lets a user wait, nor by a replica that answers late."""
    balancer = Balancer(USERS, slow=0 if slow else None)
    for user in [*range(USERS), *order * 3]:
        balancer.step(user)
    for replica in balancer.replicas:
        verdict = fails_over("in service", balancer.meetings(replica))
        (problem,) = verdict.problems
        assert "in a row were answered by others" in problem


@given(ORDER)
def test_a_kill_is_seen_however_callers_are_delayed(order: list[int]) -> None:
    balancer = Balancer(USERS)
    everybody = list(range(USERS)) * 2
    for user in [*everybody * 12, *order]:
        balancer.step(user)
    balancer.kill(0)
    for user in [*order, *everybody]:
        balancer.step(user)
    balancer.notice(0)
    while longest_outage(balancer.meetings(0)) < ENOUGH:  # as the proof does
        for user in [*order, *everybody]:
            balancer.step(user)
    balancer.bring_back(0)
    for user in [*order, *everybody * 12]:
        balancer.step(user)
    assert fails_over("killed", balancer.meetings(0)).require()
    assert not fails_over("killed: the other one", balancer.meetings(1)).passed


def test_the_times_of_a_recovery() -> None:
    ill = [(10 + i / 10, False) for i in range(15)]  # to 11.4, healed at 11.0
    well = [(11.05, True), *((12 + i / 10, True) for i in range(25))]
    verdict = recovered("healed", HEALED, ill + well).require()
    assert verdict.number("last_ill_s") == pytest.approx(0.4)
    assert verdict.number("first_well_s") == pytest.approx(0.05)
    assert verdict.counts["ill_after"] == 4


def test_one_that_is_late_after_a_recovery_is_the_machine_s() -> None:
    ill = [(10 + i / 10, False) for i in range(5)]
    well = [(12 + i / 10, i != 29) for i in range(30)]
    assert recovered("healed", HEALED, ill + well).require().counts["well_at_the_end"] == 19


def test_what_was_never_ill_or_stays_ill_has_not_recovered() -> None:
    fine = [(12 + i / 10, True) for i in range(25)]
    assert "nothing went ill before" in recovered("fine", HEALED, fine).sentence
    ill = [(10 + i / 10, False) for i in range(40)]
    assert "0 of the last 20 requests" in recovered("ill", HEALED, ill).sentence
    few = [*ill[:5], *[(12 + i / 10, True) for i in range(19)]]
    assert "19 of the last 19 requests" in recovered("few", HEALED, few).sentence
    half = [(10 + i / 10, i % 2 == 0) for i in range(60)]
    assert "10 of the last 20 requests" in recovered("half", HEALED, half).sentence
    assert not recovered("nothing", HEALED, []).passed
