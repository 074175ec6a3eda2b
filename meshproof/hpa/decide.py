"""The arithmetic of Kubernetes' HorizontalPodAutoscaler: proposals by metric, stabilization, rates.

As in the controller (pkg/controller/podautoscaler: replica_calculator, horizontal): a metric
proposes ceil(ready replicas * average / target), and no change within 10 % of the target. The
largest proposal wins. Over the stabilization window the smallest (scaling up) or largest (scaling
down) recommendation counts. Policies limit how many replicas are added or removed in a period.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from meshproof.model.kube_hpa import HorizontalPodAutoscalerSpec, Policy, ScalingRules

TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class MetricReading:
    """One metric: its value for each replica (None: not known yet), and its target."""

    name: str
    values: tuple[float | None, ...]
    target: float

    @property
    def average(self) -> float:
        """The average of the known values; 0 if there are none."""
        values = [v for v in self.values if v is not None]
        return math.fsum(values) / len(values) if values else 0.0


def propose_replicas(current: int, reading: MetricReading) -> int | None:
    """The replicas that one metric proposes; None if no value is known.

    An unknown replica counts as idle when the known ones are above the target, and as at the target
    when they are below. If that reverses the direction, nothing changes.
    """
    values = [v for v in reading.values if v is not None]
    if not values:
        return None
    ratio = reading.average / reading.target
    unknown = len(reading.values) - len(values)
    if not unknown:
        return current if _is_within_tolerance(ratio) else math.ceil(ratio * len(values))
    total = math.fsum(values) + unknown * (0.0 if ratio > 1 else reading.target)
    adjusted = total / len(reading.values) / reading.target
    is_reversed = (ratio > 1) != (adjusted > 1)
    if _is_within_tolerance(adjusted) or is_reversed:
        return current
    replicas = math.ceil(adjusted * len(reading.values))
    return current if (adjusted > 1) != (replicas > current) else replicas


def _is_within_tolerance(ratio: float) -> bool:
    return abs(ratio - 1) <= TOLERANCE


@dataclass(frozen=True, slots=True)
class History:
    """What one autoscaler remembers: recommendations and changes, each with its time in seconds."""

    recommended: tuple[tuple[float, int], ...] = ()
    changed: tuple[tuple[float, int], ...] = field(default=())
    """Replicas added (positive) or removed (negative)."""

    def change(self, now: float, by: int) -> History:
        """Record that so many replicas were just added or removed."""
        return replace(self, changed=(*self.changed, (now, by))) if by else self


@dataclass(frozen=True, slots=True)
class Decision:
    replicas: int
    reason: str
    history: History


def decide(
    spec: HorizontalPodAutoscalerSpec,
    current: int,
    readings: Sequence[MetricReading],
    history: History,
    now: float,
) -> Decision:
    """The number of replicas at ``now`` (seconds of any steady clock).

    A metric without known values keeps the number from falling.
    """
    proposals = [(propose_replicas(current, reading), reading) for reading in readings]
    known_proposals = [(number, reading) for number, reading in proposals if number is not None]
    if not known_proposals:
        return Decision(_clamp(spec, current), "nothing is known yet", history)
    recommended, reading = max(known_proposals, key=lambda item: item[0])
    if len(known_proposals) < len(proposals):
        recommended = max(recommended, current)
    history = _remember(spec, history, now, recommended)
    stable = _stabilize(spec, current, history, now)
    if stable > current:
        stable = min(stable, max(current, _upper_bound(current, spec.scale_up, history, now)))
    elif stable < current:
        stable = max(stable, min(current, _lower_bound(current, spec.scale_down, history, now)))
    reason = f"{reading.name} is {reading.average:.3g} a replica, wanted {reading.target:g}"
    return Decision(_clamp(spec, stable), reason, history)


def _clamp(spec: HorizontalPodAutoscalerSpec, replicas: int) -> int:
    return min(max(replicas, spec.min_replicas), spec.max_replicas)


def _remember(
    spec: HorizontalPodAutoscalerSpec, history: History, now: float, recommended: int
) -> History:
    """Add the newest recommendation, and drop what no window or period reaches any more."""
    windows = [
        rules.stabilization_window_seconds or 0 for rules in (spec.scale_up, spec.scale_down)
    ]
    periods = [
        p.period_seconds for rules in (spec.scale_up, spec.scale_down) for p in rules.policies or ()
    ]
    return History(
        (*_since(history.recommended, now - max(windows)), (now, recommended)),
        _since(history.changed, now - max(periods, default=0)),
    )


def _since(events: Iterable[tuple[float, int]], time: float) -> tuple[tuple[float, int], ...]:
    return tuple(event for event in events if event[0] > time)


def _stabilize(
    spec: HorizontalPodAutoscalerSpec, current: int, history: History, now: float
) -> int:
    """At most the smallest recommendation in the window up, at least the largest in the window
    down."""
    newest = history.recommended[-1][1]

    def over(rules: ScalingRules, choose: Callable[[Iterable[int]], int]) -> int:
        since = now - (rules.stabilization_window_seconds or 0)
        return choose([newest, *(n for _, n in _since(history.recommended, since))])

    up, down = over(spec.scale_up, min), over(spec.scale_down, max)
    return min(max(current, up), down)


def _upper_bound(current: int, rules: ScalingRules, history: History, now: float) -> int:
    """The highest number allowed: policies start from the number a period ago."""

    def allowed(policy: Policy) -> int:
        start = current - _net_change(history, now, policy)
        if policy.type == "Pods":
            return start + policy.value
        return math.ceil(start * (1 + policy.value / 100))

    choose = {"Max": max, "Min": min}.get(rules.select_policy)
    return choose(map(allowed, rules.policies or ())) if choose else current


def _lower_bound(current: int, rules: ScalingRules, history: History, now: float) -> int:
    """The lowest number allowed."""

    def allowed(policy: Policy) -> int:
        start = current - _net_change(history, now, policy)
        if policy.type == "Pods":
            return start - policy.value
        return int(start * (1 - policy.value / 100))

    choose = {"Max": min, "Min": max}.get(rules.select_policy)
    return choose(map(allowed, rules.policies or ())) if choose else current


def _net_change(history: History, now: float, policy: Policy) -> int:
    return sum(by for _, by in _since(history.changed, now - policy.period_seconds))
