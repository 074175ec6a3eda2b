"""Kubernetes' arithmetic: the formula, its tolerance, windows, rates, and what is not known."""

from __future__ import annotations

import math
from typing import Any

import pytest

from meshproof.hpa.decide import History, MetricReading, decide, propose_replicas
from meshproof.model.kube_hpa import HorizontalPodAutoscalerSpec


def spec(**more: Any) -> HorizontalPodAutoscalerSpec:
    target = {"kind": "Deployment", "name": "svca"}
    return HorizontalPodAutoscalerSpec.model_validate(
        {"scaleTargetRef": target, "maxReplicas": 20, **more}
    )


def rules(window: int = 0, **more: Any) -> dict[str, Any]:
    return {"stabilizationWindowSeconds": window, **more}


FREE = {"type": "Pods", "value": 100, "periodSeconds": 1}
AT_ONCE = spec(behavior={"scaleUp": rules(policies=[FREE]), "scaleDown": rules()})


def cpu(*values: float | None, target: float = 50) -> MetricReading:
    return MetricReading("cpu", values, target)


def replicas_after(of: HorizontalPodAutoscalerSpec, current: int, *readings: MetricReading) -> int:
    return decide(of, current, readings, History(), 0.0).replicas


@pytest.mark.parametrize("replicas", [1, 3, 10])
@pytest.mark.parametrize("average", [1, 24, 50, 77, 149, 400])
def test_the_formula(replicas: int, average: int) -> None:
    assert abs(average / 50 - 1) > 0.1 or average == 50
    expected = min(20, max(1, math.ceil(replicas * average / 50)))
    assert replicas_after(AT_ONCE, replicas, cpu(*[average] * replicas)) == expected


@pytest.mark.parametrize("average", [45.1, 47, 53, 54.9])
def test_within_a_tenth_of_the_target_nothing_changes(average: float) -> None:
    assert propose_replicas(3, cpu(*[average] * 3)) == 3


@pytest.mark.parametrize(("average", "replicas"), [(44.9, 9), (55.1, 12)])
def test_beyond_a_tenth_it_does(average: float, replicas: int) -> None:
    assert propose_replicas(10, cpu(*[average] * 10)) == replicas


def test_the_metric_that_wants_most_counts() -> None:
    assert (
        replicas_after(AT_ONCE, 2, cpu(20, 20), MetricReading("requests_in_flight", (9, 9), 3)) == 6
    )


def test_replicas_that_are_not_known_count_as_idle_on_the_way_up() -> None:
    assert propose_replicas(2, cpu(200, None)) == 4  # not ceil(4 * 1): 200 of 2 is 100 a replica
    assert propose_replicas(3, cpu(60, None, None)) == 3  # that would turn the direction round


def test_and_as_at_the_target_on_the_way_down() -> None:
    assert propose_replicas(2, cpu(5, None)) == 2  # 55 of 100 is ceil(1.1)
    assert propose_replicas(4, cpu(0, 0, 0, None)) == 1


def test_nothing_known_changes_nothing_but_the_bounds() -> None:
    assert propose_replicas(3, cpu(None, None, None)) is None
    assert replicas_after(AT_ONCE, 3, cpu(None, None, None)) == 3
    assert replicas_after(spec(minReplicas=5), 3) == 5


def test_a_metric_that_is_not_known_keeps_the_number_from_falling() -> None:
    unknown = MetricReading("requests_in_flight", (None,) * 4, 3)
    assert replicas_after(AT_ONCE, 4, cpu(1, 1, 1, 1), unknown) == 4
    assert replicas_after(AT_ONCE, 4, cpu(100, 100, 100, 100), unknown) == 8


def test_bounds() -> None:
    narrow = spec(minReplicas=2, maxReplicas=3, behavior={"scaleDown": rules()})
    assert replicas_after(narrow, 2, cpu(500, 500)) == 3
    assert replicas_after(narrow, 3, cpu(0, 0, 0)) == 2


# -- over time -------------------------------------------------------------------------------------


def walk(
    of: HorizontalPodAutoscalerSpec, averages: list[float], current: int = 1, step: float = 1.0
) -> list[int]:
    """Replicas after each second, with that average of each replica."""
    history, numbers = History(), []
    for second, average in enumerate(averages):
        now = second * step
        decision = decide(of, current, [cpu(*[average] * current)], history, now)
        history = decision.history.change(now, decision.replicas - current)
        current = decision.replicas
        numbers.append(current)
    return numbers


def test_down_waits_until_its_window_has_seen_nothing_higher() -> None:
    slow = spec(behavior={"scaleUp": rules(), "scaleDown": rules(3)})
    assert walk(slow, [0, 0, 0, 100, 0, 0, 0], current=4) == [1, 1, 1, 2, 2, 2, 1]


def test_by_default_down_waits_five_minutes() -> None:
    numbers = walk(spec(), [50, *[0.0] * 31], current=4, step=10.0)
    assert numbers == [4] * 30 + [1] * 2


def test_up_waits_for_its_window_too() -> None:
    slow = spec(behavior={"scaleUp": rules(3), "scaleDown": rules()})
    assert walk(slow, [50, 100, 100, 100, 100]) == [1, 1, 1, 2, 2]


def test_by_default_up_doubles_or_adds_four_in_15_seconds() -> None:
    assert walk(spec(), [500] * 3) == [5, 5, 5]
    assert walk(spec(maxReplicas=50), [500] * 2, current=10) == [20, 20]


def test_policies_bound_both_ways_by_period() -> None:
    one = [{"type": "Pods", "value": 1, "periodSeconds": 2}]
    slow = spec(behavior={"scaleUp": rules(policies=one), "scaleDown": rules(policies=one)})
    assert walk(slow, [500] * 5) == [2, 2, 3, 3, 4]
    assert walk(slow, [0] * 5, current=4) == [3, 3, 2, 2, 1]


def test_the_policy_that_changes_most_or_least_can_be_chosen() -> None:
    both = [
        {"type": "Pods", "value": 1, "periodSeconds": 10},
        {"type": "Percent", "value": 50, "periodSeconds": 10},
    ]
    for choice, up, down in (("Max", 15, 5), ("Min", 11, 9), ("Disabled", 10, 10)):
        policy = rules(policies=both, selectPolicy=choice)
        autoscaler = spec(behavior={"scaleUp": policy, "scaleDown": policy})
        assert replicas_after(autoscaler, 10, cpu(*[500] * 10)) == up
        assert replicas_after(autoscaler, 10, cpu(*[1] * 10)) == down


def test_the_reason_names_the_metric() -> None:
    decision = decide(AT_ONCE, 2, [cpu(150, 250)], History(), 0.0)
    assert decision.reason == "cpu is 200 a replica, wanted 50"
