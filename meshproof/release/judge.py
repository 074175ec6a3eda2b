"""One look at a step's evidence: go on, roll back, or keep watching. Pure.

A group sequential test with a Bonferroni correction: a release has a number of judged steps, a step
a number of looks, a look two comparisons, and each comparison gets an equal share of ``alpha``. It
holds however the looks depend on one another, and whenever a step ends. A look comes when the new
version has had 1.4 times the calls of the look before.

Two questions, each with a bound on how often its answer is wrong:

* *Is it worse?* At ``alpha`` over the whole release, a version that fails no more often and is at
  most ``tolerated_ms`` slower is rolled back as worse.
* *Is the next step safe?* At ``beta`` a step, a step is taken at which the new version would make
  ``margin_failed`` more of **all** calls fail, or make all wait ``margin_ms`` longer on average.
  The harm at a step is the version's excess times its share, so a small next step needs little
  evidence, and the step to 100 % the most.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from meshproof.release.compare import Calls, most_excess, p_fails_more, p_faster, p_slower


class Action(enum.StrEnum):
    GO_ON = "go on"
    ROLL_BACK = "roll back"
    WATCH = "keep watching"


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as worse, and how often the judge may err."""

    alpha: float = 0.01
    """The probability that a good version is rolled back as worse, over all steps."""
    beta: float = 0.05
    """The probability that a step is taken that does the harm of the margins."""
    margin_failed: float = 0.02
    """More failures among all calls that no step may bring; 0.02 is 2 in 100."""
    margin_ms: float = 50.0
    """More wait, on average over all calls, that no step may bring."""
    tolerated_ms: float = 10.0
    """A version that is this much slower is not worse."""
    first_look: int = 10
    growth: float = 1.4
    looks: int = 20
    """A step that is undecided after so many is rolled back: its harm could not be excluded."""

    def problems(self) -> list[str]:
        """What is wrong with these limits, a text each."""
        problems = []
        for name in ("alpha", "beta", "margin_failed"):
            if not 0 < getattr(self, name) < 1:
                problems.append(f"{name} {getattr(self, name):g}: wanted more than 0, less than 1")
        if not 0 <= self.tolerated_ms < self.margin_ms:
            problems.append(
                f"tolerated {self.tolerated_ms:g} ms, margin {self.margin_ms:g} ms: wanted 0 or"
                " more tolerated, and less than the margin"
            )
        return problems

    def next_look(self, calls: int) -> int:
        """The number of the new version's calls at which the look after one at ``calls`` is due."""
        return max(self.first_look, math.ceil(calls * self.growth))


@dataclass(frozen=True, slots=True)
class Decision:
    action: Action
    why: str


def judge(
    limits: Limits, old: Calls, new: Calls, *, look: int, steps: int, next_share: float
) -> Decision:
    """Judge the evidence of one step at its look number ``look`` (from 1) of ``limits.looks``.

    ``steps`` is how many steps of the release are judged, ``next_share`` the new version's share
    (0..1) of all calls at the next one.
    """
    each = limits.alpha / (steps * limits.looks * 2)
    worse = _worse(limits, old, new, each)
    if worse:
        return Decision(Action.ROLL_BACK, worse)
    open_questions = _not_excluded(limits, old, new, limits.beta / limits.looks, next_share)
    if not open_questions:
        return Decision(Action.GO_ON, _excluded(limits, next_share))
    if look >= limits.looks:
        why = f"not decided after {new.total} calls: {' and '.join(open_questions)}"
        return Decision(Action.ROLL_BACK, why)
    return Decision(Action.WATCH, " and ".join(open_questions))


def _worse(limits: Limits, old: Calls, new: Calls, level: float) -> str:
    p = p_fails_more(old, new)
    if p <= level:
        return (
            f"it fails more often: {_percent(new.share_failed)} of its calls against"
            f" {_percent(old.share_failed)} (Fisher p {p:.2g}, allowed {level:.2g})"
        )
    p = p_slower(old, new, limits.tolerated_ms)
    if p <= level:
        return (
            f"it is more than {limits.tolerated_ms:g} ms slower: median {new.median():g} ms against"
            f" {old.median():g} ms (Mann-Whitney p {p:.2g}, allowed {level:.2g})"
        )
    return ""


def _not_excluded(
    limits: Limits, old: Calls, new: Calls, level: float, next_share: float
) -> list[str]:
    """The harm of the next step that the evidence does not exclude yet."""
    open_questions = []
    failed = min(1.0, limits.margin_failed / next_share)
    if (most := most_excess(old, new, level)) > failed:
        open_questions.append(
            f"up to {_percent(most)} more failures are possible, wanted {_percent(failed)}"
        )
    slower = limits.margin_ms / next_share
    if p_faster(old, new, slower) > level:
        open_questions.append(f"{slower:g} ms more are not excluded")
    return open_questions


def _excluded(limits: Limits, next_share: float) -> str:
    failed = _percent(min(1.0, limits.margin_failed / next_share))
    return f"excluded: {failed} more failures, {limits.margin_ms / next_share:.4g} ms more"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
