"""How far a release has come: steps, looks, the way back, and its journal form."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from meshproof.release.compare import Calls
from meshproof.release.judge import Action, Limits
from meshproof.release.state import Phase, Plan, ReleaseState

LIMITS = Limits()
PLAN = Plan("svcb", "payments", "v0.1", "v0.2", (10, 50, 100))


def calls(n: int, failed: int = 0, ms: int = 20) -> Calls:
    return Calls([ms + i % 7 for i in range(n - failed)], failed)


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


def test_a_state_outlives_its_process() -> None:
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
