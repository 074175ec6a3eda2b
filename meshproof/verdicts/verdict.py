"""What every check here returns: a judgement with the figures it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Figure = float | int | str | tuple[float, float]
"""What a figure may be; a pair is an interval. Shares are 0..1, durations seconds."""


class VerdictFailed(AssertionError):
    """A verdict that had to pass did not; the message has wanted, got and allowed."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(verdict.explain())


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement, made once on fresh evidence. It is never retried until it passes.

    ``n`` is how many observations it rests on, ``counts`` what they were; ``wanted``, ``found``
    and ``allowed`` are texts for people, ``figures`` the numbers behind them. These names are the
    format of reports and of ``verdicts.json``.
    """

    name: str
    passed: bool
    n: int
    counts: Mapping[str, int]
    wanted: str
    found: str
    allowed: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """Why it failed, each in a sentence; empty when it passed."""

    def __post_init__(self) -> None:
        if self.passed and (self.problems or self.n <= 0):
            raise ValueError(
                f"verdict {self.name!r} cannot pass with n={self.n}, problems {self.problems}"
            )

    @property
    def sentence(self) -> str:
        """One line: what was judged, the outcome, and on how much evidence."""
        outcome = "passed" if self.passed else "FAILED"
        text = f"{self.name}: {outcome}, n={self.n}: found {self.found}; wanted {self.wanted}"
        return text if self.passed else f"{text}; because {'; '.join(self.problems)}"

    def explain(self) -> str:
        """Several lines for whoever reads a failure: wanted, got, allowed, why, figures."""
        lines = [
            f"{self.name}: {'passed' if self.passed else 'FAILED'} on n={self.n}",
            f"  wanted   {self.wanted}",
            f"  got      {self.found}",
            f"  allowed  {self.allowed}",
            f"  counts   {', '.join(f'{k}={v}' for k, v in self.counts.items()) or 'none'}",
            *(f"  because  {problem}" for problem in self.problems),
        ]
        if self.figures:
            lines.append(f"  figures  {self.figures_text()}")
        return "\n".join(lines)

    def figures_text(self) -> str:
        """``alpha 1e-06, p 0.41, ...`` on one line."""
        return ", ".join(f"{name} {_short(value)}" for name, value in self.figures.items())

    def number(self, figure: str) -> float:
        """A figure that is one number; raises KeyError without it, TypeError for another type."""
        value = self.figures[figure]
        if not isinstance(value, int | float):
            raise TypeError(f"figure {figure} of {self.name} is {value!r}, not a number")
        return float(value)

    def pair(self, figure: str) -> tuple[float, float]:
        """A figure that is an interval; raises KeyError without it, TypeError for another type."""
        value = self.figures[figure]
        if not isinstance(value, tuple):
            raise TypeError(f"figure {figure} of {self.name} is {value!r}, not an interval")
        return value

    def require(self) -> Verdict:
        """Itself if it passed; raises VerdictFailed if not."""
        __tracebackhide__ = True
        if not self.passed:
            raise VerdictFailed(self)
        return self

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "passed": self.passed,
            "n": self.n,
            "counts": dict(self.counts),
            "wanted": self.wanted,
            "found": self.found,
            "allowed": self.allowed,
            "figures": {k: list(v) if isinstance(v, tuple) else v for k, v in self.figures.items()},
            "problems": list(self.problems),
            "sentence": self.sentence,
        }


def conclude(
    name: str,
    n: int,
    counts: Mapping[str, int],
    problems: list[str],
    *,
    wanted: str,
    found: str,
    allowed: str,
    figures: Mapping[str, Figure] | None = None,
) -> Verdict:
    """A verdict that passes exactly when there is evidence and there are no problems."""
    reasons = tuple(problems)
    if n <= 0:
        reasons = ("no evidence: nothing was observed", *reasons)
    return Verdict(
        name, not reasons, n, dict(counts), wanted, found, allowed, dict(figures or {}), reasons
    )


def some(items: list[str], most: int = 3) -> str:
    """The first few of a list, and how many more there are."""
    text = ", ".join(items[:most])
    return text if len(items) <= most else f"{text} and {len(items) - most} more"


def _short(value: Figure) -> str:
    if isinstance(value, tuple):
        return f"[{value[0]:.4g}, {value[1]:.4g}]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
