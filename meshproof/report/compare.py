"""The differences between two reports: outcomes first, then figures as ratios. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.report.sections import Json

_GOOD = ("passed", "released", "failed, as it must")
_FIGURES = {"rate": "requests a second", "p50": "median, ms", "p99": "99 %, ms"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A test or verdict whose outcome differs, or that is in one report only."""

    what: str
    before: str
    """Empty where it is not in the first report."""
    after: str
    """Empty where it is not in the second report."""

    @property
    def worse(self) -> bool:
        """It is not as it must be, and it was, or it is new. One that disappeared is no worse."""
        return self.after not in (*_GOOD, "skipped", "") and self.before in (*_GOOD, "skipped", "")


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure of a load, or of all changes, in both reports."""

    what: str
    figure: str
    before: float
    after: float

    @property
    def times(self) -> float:
        return self.after / self.before


@dataclass(frozen=True, slots=True)
class Comparison:
    environment: Mapping[str, tuple[str, str]]
    """Versions and machine, where they differ."""
    differences: Sequence[Difference]
    ratios: Sequence[Ratio]
    """Sorted: furthest from 1 first."""

    @property
    def worse(self) -> bool:
        return any(one.worse for one in self.differences)

    def as_dict(self) -> Json:
        return {
            "environment": {key: list(pair) for key, pair in self.environment.items()},
            "differences": [
                {"what": d.what, "before": d.before, "after": d.after, "worse": d.worse}
                for d in self.differences
            ],
            "ratios": [
                {"what": r.what, "figure": r.figure, "before": r.before, "after": r.after,
                 "times": r.times}
                for r in self.ratios
            ],
            "worse": self.worse,
        }  # fmt: skip


def compare(before: Json, after: Json) -> Comparison:
    """Two reports of ``build_report``: tests by title, verdicts by name, loads by number."""
    one, other = before["environment"], after["environment"]
    names = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    outcomes = dict(_outcomes(before)), dict(_outcomes(after))
    differences = [
        Difference(what, outcomes[0].get(what, ""), outcomes[1].get(what, ""))
        for what in {**outcomes[0], **outcomes[1]}
        if outcomes[0].get(what) != outcomes[1].get(what)
    ]
    ratios = sorted(_ratios(before, after), key=lambda ratio: -abs(math.log(ratio.times)))
    return Comparison(
        {key: (one.get(key, ""), other.get(key, "")) for key in names},
        sorted(differences, key=lambda difference: not difference.worse),
        ratios,
    )


def _outcomes(report: Json) -> Iterator[tuple[str, str]]:
    for section in report["chapters"]:
        yield section["title"], section["outcome"]
        for verdict in section["verdicts"]:
            yield f"{section['title']}: {verdict['name']}", verdict["outcome"]


def _ratios(before: Json, after: Json) -> Iterator[Ratio]:
    old, new = dict(_figures(before)), dict(_figures(after))
    for (what, figure), value in old.items():
        after_value = new.get((what, figure))
        if value and after_value:
            yield Ratio(what, figure, value, after_value)


def _figures(report: Json) -> Iterator[tuple[tuple[str, str], Any]]:
    live = []
    for section in report["chapters"]:
        for number, load in enumerate(section["loads"], 1):
            name = section["title"] + (f", load {number}" if len(section["loads"]) > 1 else "")
            for key, figure in _FIGURES.items():
                yield (name, figure), load[key]
        live += [change["seconds"] for change in section["changes"] if change["sidecars"]]
    if live:
        yield ("all changes", "live after, ms (median)"), 1000 * sorted(live)[len(live) // 2]
