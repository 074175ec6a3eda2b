"""What the judge says of evidence that leaves no doubt, and of evidence that leaves some."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from meshproof.release.compare import Calls
from meshproof.release.judge import Action, Decision, Limits, judge
from meshproof.release.state import Phase, Plan, ReleaseState

LIMITS = Limits()
PLAN = Plan("svcb", "payments", "v0.1", "v0.2", (10, 50, 100))


def calls(n: int, failed: int = 0, ms: int = 20) -> Calls:
    return Calls([ms + i % 7 for i in range(n - failed)], failed)


def judged(old: Calls, new: Calls, *, look: int = 1, next_share: float = 1.0) -> Decision:
    return judge(LIMITS, old, new, look=look, steps=2, next_share=next_share)


def test_equal_versions_go_on() -> None:
    assert judged(calls(600), calls(600)).action is Action.GO_ON


def test_what_fails_more_often_is_rolled_back() -> None:
    decision = judged(calls(1000), calls(1000, failed=20))
    assert decision.action is Action.ROLL_BACK
    assert "fails more often: 2 % of its calls against 0 %" in decision.why


def test_what_is_slower_is_rolled_back() -> None:
    decision = judged(calls(600), calls(100, ms=70))
    assert decision.action is Action.ROLL_BACK
    assert "more than 10 ms slower: median 73 ms against 23 ms" in decision.why


def test_what_is_tolerated_is_not_slower() -> None:
    assert judged(calls(600), calls(600, ms=29)).action is Action.GO_ON


def test_failures_that_both_have_are_no_fault_of_the_new_one() -> None:
    assert judged(calls(4000, failed=40), calls(4000, failed=40)).action is Action.GO_ON


def test_few_calls_are_watched_further_and_the_reason_is_said() -> None:
    decision = judged(calls(100), calls(100))
    assert decision.action is Action.WATCH
    assert "more failures are possible, wanted 2 %" in decision.why


def test_a_small_next_step_wants_less_evidence() -> None:
    assert judged(calls(100), calls(100), next_share=0.05).action is Action.GO_ON


def test_what_is_not_decided_at_the_last_look_is_rolled_back() -> None:
    decision = judged(calls(100), calls(100), look=LIMITS.looks)
    assert decision.action is Action.ROLL_BACK
    assert decision.why.startswith("not decided after 100 calls")


def test_a_version_that_only_fails_is_rolled_back() -> None:
    assert judged(calls(900), calls(10, failed=10)).action is Action.ROLL_BACK


# -- the state ------------------------------------------------------------------------------------


def test_a_good_version_goes_all_the_way() -> None:
    state, weights = ReleaseState(PLAN), []
    while not state.over:
        weights.append(state.weight)
        state = state.live()
        if state.phase is Phase.WATCHING:
            state, _ = state.look(calls(900), calls(900))
    assert (weights, state.phase, state.weight) == ([10, 50, 100], Phase.RELEASED, 100)


def test_a_bad_one_goes_back_to_nothing() -> None:
    state, _ = ReleaseState(PLAN).live().look(calls(900), calls(100, failed=50))
    assert (state.phase, state.weight, state.over) == (Phase.ROLLING_BACK, 0, False)
    assert state.live().phase is Phase.ROLLED_BACK
    assert state.live().over


def test_looks_come_when_calls_have_grown_and_not_before_the_weight_is_live() -> None:
    moving = ReleaseState(PLAN)
    assert not moving.due(1000)
    state = moving.live()
    assert not state.due(LIMITS.first_look - 1)
    assert state.due(LIMITS.first_look)
    state, decision = state.look(calls(90), calls(10))
    assert decision.action is Action.WATCH
    assert (state.looks, state.due(13), state.due(14)) == (1, False, True)


def test_a_course_outlives_its_process() -> None:
    state = replace(ReleaseState(PLAN, step=1, looks=3, seen=57), phase=Phase.WATCHING)
    assert ReleaseState.from_dict(json.loads(json.dumps(state.as_dict()))) == state


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (replace(PLAN, steps=(100,)), "steps 100"),
        (replace(PLAN, steps=(5, 5, 100)), "steps 5,5,100"),
        (replace(PLAN, steps=(5, 50)), "steps 5,50"),
        (replace(PLAN, steps=(0, 100)), "steps 0,100"),
        (replace(PLAN, new="v0.1"), "wanted two versions"),
        (replace(PLAN, limits=Limits(alpha=0)), "alpha 0"),
        (replace(PLAN, limits=Limits(tolerated_ms=50)), "tolerated 50 ms, margin 50 ms"),
    ],
)
def test_a_plan_that_is_none_says_why(plan: Plan, problem: str) -> None:
    assert problem in " ".join(plan.problems())
    assert PLAN.problems() == []
