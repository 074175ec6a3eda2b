from __future__ import annotations

import json

import pytest

from soak.manifests import rule
from soak.plan import LANES, REPLICAS, RULES, as_data, from_data, plan

KINDS = {
    "rules", "timeouts", "scale", "replace", "certificates", "close egress",
    "kill", "pause", "latency", "loss",
}  # fmt: skip


def test_a_seed_says_it_all() -> None:
    assert plan(7, 60) == plan(7, 60)
    assert plan(7, 60) != plan(8, 60)


def test_a_plan_survives_being_written_down() -> None:
    actions = plan(7, 60)
    assert from_data(json.loads(json.dumps(as_data(actions)))) == actions


def test_what_is_no_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="no plan"):
        from_data([{"when": 1}])
    with pytest.raises(ValueError, match="lane side: wanted change or fault"):
        from_data([{"at": 1.0, "lane": "side", "kind": "rules"}])


@pytest.mark.parametrize("seed", range(1, 30))
def test_half_a_minute_has_every_kind_and_half_a_minute_is_what_it_has(seed: int) -> None:
    actions = plan(seed, 60)
    assert {a.kind for a in actions} >= KINDS
    assert all(0 < a.at < 60 for a in actions)
    for lane in LANES:
        times = [a.at for a in actions if a.lane == lane]
        assert times == sorted(times)
        assert len(times) >= 15


def test_nobody_is_scaled_so_low_that_a_kill_leaves_none() -> None:
    amounts = {a.amount for a in plan(3, 600) if a.kind == "scale"}
    assert amounts == set(REPLICAS)
    assert min(amounts) > 1


@pytest.mark.parametrize("stem", RULES)
def test_every_rule_repeats_what_is_safe_to_repeat(stem: str) -> None:
    text = rule(stem, 3.0)
    assert text.count("perTryTimeout: 1s") == text.count("timeout: 3s") > 0
