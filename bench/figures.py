"""A figure beside its target. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Target:
    """``at most`` or ``at least`` a limit, in the figure's unit."""

    bound: Literal["at most", "at least"]
    limit: float

    def met(self, value: float) -> bool:
        """A value that is no number meets nothing."""
        return value <= self.limit if self.bound == "at most" else value >= self.limit

    def __str__(self) -> str:
        return f"{self.bound} {self.limit:g}"


def at_most(limit: float) -> Target:
    return Target("at most", limit)


def at_least(limit: float) -> Target:
    return Target("at least", limit)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. Without a target it is there to be read."""

    name: str
    value: float
    unit: str
    target: Target | None = None
    note: str = ""
    """What it was measured on: how often, of what."""

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.target.met(self.value)

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": None if math.isnan(self.value) else self.value,
            "unit": self.unit,
            "target": None if self.target is None else str(self.target),
            "met": self.met,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Part:
    """What one measurement brought: figures for the table, samples for the JSON file."""

    title: str
    figures: Sequence[Figure]
    samples: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "figures": [f.as_dict() for f in self.figures],
            "samples": dict(self.samples),
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: always a value that was measured.

    Raises ValueError for no values, or a percent outside 0 to 100.
    """
    if not values:
        raise ValueError("no values were measured")
    if not 0 <= percent <= 100:
        raise ValueError(f"percent {percent:g}: wanted 0 to 100")
    rank = max(1, math.ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


def ratio_of_medians(over: Sequence[float], under: Sequence[float]) -> float:
    """Median of ``over`` to median of ``under``. Raises ValueError where there is nothing to
    divide by."""
    if not over or not under or statistics.median(under) == 0:
        raise ValueError("a ratio needs values on both sides, and no zero below")
    return statistics.median(over) / statistics.median(under)


def growth(small: tuple[float, float], large: tuple[float, float]) -> float:
    """The exponent by which a cost grows with size, from two points (size, cost): 0 for a cost that
    does not grow, 1 in proportion, 2 with the square. Raises ValueError for points without one."""
    (size, cost), (larger, more) = small, large
    if not 0 < size < larger or cost <= 0 or more <= 0:
        raise ValueError("growth needs two sizes, the smaller first, and costs above zero")
    return math.log(more / cost) / math.log(larger / size)
