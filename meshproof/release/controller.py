"""A release on a running mesh: weight by weight, look by look, to the end or back.

Its effects are a VirtualService (the weights) and the ledger; its evidence are the access logs of
the callers' sidecars. Whatever is decided is written down before it is done, so a release that was
killed is taken up where it stood.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from meshproof.release.compare import Calls
from meshproof.release.evidence import ReleaseMesh, StepEvidence
from meshproof.release.journal import Impact, Journal, JournalEntry
from meshproof.release.judge import Action
from meshproof.release.state import Course, Phase
from meshproof.release.weights import WeightedRule

POLL = 0.2
"""Seconds between two readings of the access logs."""
QUIET = 10.0
"""Seconds without a call after which it is said that a judge needs traffic."""


@dataclass(frozen=True, slots=True)
class ReleaseOutcome:
    course: Course
    hurt: Impact
    why: str
    seconds: float

    @property
    def released(self) -> bool:
        return self.course.phase is Phase.RELEASED

    def sentence(self) -> str:
        """One line: where it ended, why, and at whose cost."""
        plan, hurt = self.course.plan, self.hurt
        where = "is released" if self.released else f"is rolled back to {plan.old}"
        why = f": {self.why}" if self.why else ""
        return (
            f"{plan.service} {plan.new} {where} after {self.seconds:.0f} s{why}; of its"
            f" {hurt.calls} calls {hurt.failed} failed and {hurt.slowed} took more than"
            f" {plan.limits.margin_ms:g} ms longer"
        )


class ReleaseController:
    """One release of one service. ``say`` gets a line a step and a look that decides."""

    def __init__(
        self, mesh: ReleaseMesh, rule: WeightedRule, ledger: Journal, say: Callable[[str], object]
    ) -> None:
        self._mesh, self._rule, self._ledger, self._say = mesh, rule, ledger, say
        self._why = ""

    def run(self, entry: JournalEntry, *, step_limit: float) -> ReleaseOutcome:
        """To the end, from wherever ``entry`` stands. An interrupt rolls back, and is raised then.

        ``step_limit`` is how many seconds a step may take until it is decided.
        """
        started = time.monotonic()
        evidence = StepEvidence(self._mesh, self._rule, entry.cursor)
        entry = self._noted(replace(entry, cursor=evidence.begin))
        try:
            while not entry.course.over:
                if entry.course.phase is Phase.WATCHING:
                    entry = self._watch(entry, evidence, step_limit)
                else:
                    entry, evidence = self._move(entry, evidence)
        except (KeyboardInterrupt, SystemExit):
            self._why = "interrupted"
            entry, _ = self._move(self._noted(_back(entry)), evidence)
            self._end(entry, started)
            raise
        return self._end(entry, started)

    def _end(self, entry: JournalEntry, started: float) -> ReleaseOutcome:
        self._ledger.clear()
        outcome = ReleaseOutcome(entry.course, entry.hurt, self._why, time.monotonic() - started)
        self._say(outcome.sentence())
        return outcome

    def _noted(self, entry: JournalEntry) -> JournalEntry:
        self._ledger.write(entry)
        return entry

    # -- moving --------------------------------------------------------------------------------

    def _move(
        self, entry: JournalEntry, evidence: StepEvidence
    ) -> tuple[JournalEntry, StepEvidence]:
        """Make the course's weight live. What was called until then belongs to the step before."""
        plan, weight = entry.course.plan, entry.course.weight
        seconds = self._mesh.apply(self._rule.moved(plan.old, plan.new, weight))
        self._say(f"{plan.new} gets {weight} %: live after {1000 * seconds:.0f} ms")
        evidence.read()
        course = entry.course.live()
        if course.phase is Phase.ROLLED_BACK:
            _settle(evidence, plan.new)
        hurt = entry.hurt + evidence.hurt(plan.old, plan.new, plan.limits.margin_ms)
        fresh = StepEvidence(self._mesh, self._rule, evidence.end)
        return self._noted(JournalEntry(course, fresh.begin, hurt)), fresh

    # -- watching ------------------------------------------------------------------------------

    def _watch(
        self, entry: JournalEntry, evidence: StepEvidence, step_limit: float
    ) -> JournalEntry:
        """Read until a look is due, and take it."""
        course, plan = entry.course, entry.course.plan
        began = heard = time.monotonic()
        while True:
            heard = time.monotonic() if evidence.read() else heard
            new = evidence.calls(plan.new)
            if course.due(new.total):
                return self._noted(replace(entry, course=self._look(course, evidence)))
            if time.monotonic() - began > step_limit:
                self._why = f"nothing to look at for {step_limit:g} s, after {new.total} calls"
                return self._noted(_back(entry))
            if time.monotonic() - heard > QUIET:
                self._say(
                    f"no calls to {plan.service} for {QUIET:g} s; a judge needs traffic: send some"
                    " beside this, as `meshproof load --path PATH` does"
                )
                heard = time.monotonic()
            time.sleep(POLL)  # a log grows; nothing tells

    def _look(self, course: Course, evidence: StepEvidence) -> Course:
        plan = course.plan
        old, new = evidence.calls(plan.old), evidence.calls(plan.new)
        after, decision = course.look(old, new)
        if decision.verdict is not Action.WATCH:
            seen = f"{_seen(plan.old, old)}; {_seen(plan.new, new)}"
            said = f"{decision.verdict}: {decision.why} ({seen})"
            self._say(f"{plan.new} at {course.weight} %: {said}")
            self._why = decision.why if decision.verdict is Action.ROLL_BACK else ""
        return after


def _seen(version: str, calls: Calls) -> str:
    return f"{version} {calls.total} calls, {calls.failed} failed, median {calls.median():g} ms"


def _back(entry: JournalEntry) -> JournalEntry:
    return replace(entry, course=entry.course.back())


def _settle(evidence: StepEvidence, leaving: str) -> None:
    """Calls that were under way when the weight 0 became live are counted too: read until the
    version that gets none any more has no new ones."""
    before = -1
    while (now := evidence.calls(leaving).total) != before:
        before = now
        time.sleep(POLL)
        evidence.read()
