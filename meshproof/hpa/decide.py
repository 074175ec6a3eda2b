"""Kubernetes' horizontal autoscaling: proposals by metric, stabilised, and kept within rates.

As the controller does (pkg/controller/podautoscaler: replica_calculator, horizontal): a metric
proposes ceil(ready replicas * average / target), nothing within 10 % of the target; the largest
proposal counts; over a window the smallest (up) or largest (down) recommendation counts; policies
bound how many may come or go in a period.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from meshproof.model.kube_hpa import HorizontalPodAutoscalerSpec, Policy, ScalingRules

TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric: what it is per replica (None: not known yet), and what it should be."""

    name: str
    values: tuple[float | None, ...]
    target: float

    @property
    def average(self) -> float:
        """Of the replicas that are known; 0 where none is."""
        known = [v for v in self.values if v is not None]
        return math.fsum(known) / len(known) if known else 0.0


def proposal(current: int, reading: Reading) -> int | None:
    """Replicas that one metric wants; None where nothing is known of any.

    Replicas that are not known count as idle when there are too few, and as at the target when
    there are too many; where that turns the direction round, nothing changes.
    """
    known = [v for v in reading.values if v is not None]
    if not known:
        return None
    ratio = reading.average / reading.target
    unknown = len(reading.values) - len(known)
    if not unknown:
        return current if _within(ratio) else math.ceil(ratio * len(known))
    assumed = math.fsum(known) + unknown * (0.0 if ratio > 1 else reading.target)
    again = assumed / len(reading.values) / reading.target
    turned = (ratio > 1) != (again > 1)
    if _within(again) or turned:
        return current
    wanted = math.ceil(again * len(reading.values))
    return current if (again > 1) != (wanted > current) else wanted


def _within(ratio: float) -> bool:
    return abs(ratio - 1) <= TOLERANCE


@dataclass(frozen=True, slots=True)
class History:
    """What one autoscaler remembers: recommendations and changes, each with its time in seconds."""

    recommended: tuple[tuple[float, int], ...] = ()
    changed: tuple[tuple[float, int], ...] = field(default=())
    """Replicas added (above 0) or removed (below)."""

    def change(self, now: float, by: int) -> History:
        """That many were added, or removed, just now."""
        return replace(self, changed=(*self.changed, (now, by))) if by else self


@dataclass(frozen=True, slots=True)
class Decision:
    replicas: int
    why: str
    history: History


def decide(
    spec: HorizontalPodAutoscalerSpec,
    current: int,
    readings: Sequence[Reading],
    history: History,
    now: float,
) -> Decision:
    """How many replicas there should be at ``now`` (seconds of any steady clock).

    A metric that is not known keeps the number from falling.
    """
    proposals = [(proposal(current, reading), reading) for reading in readings]
    known = [(number, reading) for number, reading in proposals if number is not None]
    if not known:
        return Decision(_bounded(spec, current), "nothing is known yet", history)
    wanted, reading = max(known, key=lambda found: found[0])
    if len(known) < len(proposals):
        wanted = max(wanted, current)
    history = _remember(spec, history, now, wanted)
    stable = _stabilised(spec, current, history, now)
    if stable > current:
        stable = min(stable, max(current, _most(current, spec.scale_up, history, now)))
    elif stable < current:
        stable = max(stable, min(current, _least(current, spec.scale_down, history, now)))
    why = f"{reading.name} is {reading.average:.3g} a replica, wanted {reading.target:g}"
    return Decision(_bounded(spec, stable), why, history)


def _bounded(spec: HorizontalPodAutoscalerSpec, replicas: int) -> int:
    return min(max(replicas, spec.min_replicas), spec.max_replicas)


def _remember(
    spec: HorizontalPodAutoscalerSpec, history: History, now: float, wanted: int
) -> History:
    """With the newest recommendation, and without what no window or period reaches any more."""
    windows = [
        rules.stabilization_window_seconds or 0 for rules in (spec.scale_up, spec.scale_down)
    ]
    periods = [
        p.period_seconds for rules in (spec.scale_up, spec.scale_down) for p in rules.policies or ()
    ]
    return History(
        (*_since(history.recommended, now - max(windows)), (now, wanted)),
        _since(history.changed, now - max(periods, default=0)),
    )


def _since(events: Iterable[tuple[float, int]], time: float) -> tuple[tuple[float, int], ...]:
    return tuple(event for event in events if event[0] > time)


def _stabilised(
    spec: HorizontalPodAutoscalerSpec, current: int, history: History, now: float
) -> int:
    """No higher than the smallest recommendation of the window up, no lower than the largest of
    the window down."""
    newest = history.recommended[-1][1]

    def over(rules: ScalingRules, choose: Callable[[Iterable[int]], int]) -> int:
        since = now - (rules.stabilization_window_seconds or 0)
        return choose([newest, *(n for _, n in _since(history.recommended, since))])

    up, down = over(spec.scale_up, min), over(spec.scale_down, max)
    return min(max(current, up), down)


def _most(current: int, rules: ScalingRules, history: History, now: float) -> int:
    """How many there may be at most: policies start from what there was a period ago."""

    def allowed(policy: Policy) -> int:
        began = current - _change(history, now, policy)
        if policy.type == "Pods":
            return began + policy.value
        return math.ceil(began * (1 + policy.value / 100))

    choose = {"Max": max, "Min": min}.get(rules.select_policy)
    return choose(map(allowed, rules.policies or ())) if choose else current


def _least(current: int, rules: ScalingRules, history: History, now: float) -> int:
    """How few there may be at least."""

    def allowed(policy: Policy) -> int:
        began = current - _change(history, now, policy)
        if policy.type == "Pods":
            return began - policy.value
        return int(began * (1 - policy.value / 100))

    choose = {"Max": min, "Min": max}.get(rules.select_policy)
    return choose(map(allowed, rules.policies or ())) if choose else current


def _change(history: History, now: float, policy: Policy) -> int:
    return sum(by for _, by in _since(history.changed, now - policy.period_seconds))
