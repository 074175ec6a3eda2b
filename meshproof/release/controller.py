"""Runs a release on a mesh: weight by weight, look by look, to the end or back.

Its effects are a VirtualService (the weights) and the journal; its evidence is the access logs of
the callers' sidecars. Every decision is written to the journal before it is carried out, so that a
killed release can be resumed where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from meshproof.release.compare import Calls
from meshproof.release.evidence import ReleaseMesh, StepEvidence
from meshproof.release.journal import Impact, Journal, JournalEntry
from meshproof.release.judge import Action
from meshproof.release.state import Phase, ReleaseState
from meshproof.release.weights import WeightedRule

POLL = 0.2
"""Seconds between two readings of the access logs."""
QUIET = 10.0
"""Seconds without a call after which a message says that a judge needs traffic."""


@dataclass(frozen=True, slots=True)
class ReleaseOutcome:
    state: ReleaseState
    impact: Impact
    why: str
    seconds: float

    @property
    def released(self) -> bool:
        return self.state.phase is Phase.RELEASED

    def sentence(self) -> str:
        """One line: how it ended, why, and what it cost."""
        plan, impact = self.state.plan, self.impact
        result = "is released" if self.released else f"is rolled back to {plan.old}"
        why = f": {self.why}" if self.why else ""
        return (
            f"{plan.service} {plan.new} {result} after {self.seconds:.0f} s{why}; of its"
            f" {impact.calls} calls {impact.failed} failed and {impact.slowed} took more than"
            f" {plan.limits.margin_ms:g} ms longer"
        )


class ReleaseController:
    """One release of one service. ``say`` gets a line for each step and each look that decides."""

    def __init__(
        self, mesh: ReleaseMesh, rule: WeightedRule, journal: Journal, say: Callable[[str], object]
    ) -> None:
        self._mesh, self._rule, self._journal, self._say = mesh, rule, journal, say
        self._why = ""

    def run(self, entry: JournalEntry, *, step_limit: float) -> ReleaseOutcome:
        """Go on from ``entry`` to the end. An interrupt rolls back, and is raised again then.

        ``step_limit`` is how many seconds a step may take until it is decided.
        """
        started = time.monotonic()
        evidence = StepEvidence(self._mesh, self._rule, entry.cursor)
        entry = self._save(replace(entry, cursor=evidence.begin))
        try:
            while not entry.state.over:
                if entry.state.phase is Phase.WATCHING:
                    entry = self._watch(entry, evidence, step_limit)
                else:
                    entry, evidence = self._move(entry, evidence)
        except (KeyboardInterrupt, SystemExit):
            self._why = "interrupted"
            entry, _ = self._move(self._save(_roll_back(entry)), evidence)
            self._end(entry, started)
            raise
        return self._end(entry, started)

    def _end(self, entry: JournalEntry, started: float) -> ReleaseOutcome:
        self._journal.clear()
        seconds = time.monotonic() - started
        outcome = ReleaseOutcome(entry.state, entry.impact, self._why, seconds)
        self._say(outcome.sentence())
        return outcome

    def _save(self, entry: JournalEntry) -> JournalEntry:
        self._journal.write(entry)
        return entry

    # -- moving --------------------------------------------------------------------------------

    def _move(
        self, entry: JournalEntry, evidence: StepEvidence
    ) -> tuple[JournalEntry, StepEvidence]:
        """Make the state's weight live. Calls until then belong to the step before."""
        plan, weight = entry.state.plan, entry.state.weight
        seconds = self._mesh.apply(self._rule.with_weight(plan.old, plan.new, weight))
        self._say(f"{plan.new} gets {weight} %: live after {1000 * seconds:.0f} ms")
        evidence.read()
        state = entry.state.live()
        if state.phase is Phase.ROLLED_BACK:
            _settle(evidence, plan.new)
        impact = entry.impact + evidence.impact(plan.old, plan.new, plan.limits.margin_ms)
        fresh = StepEvidence(self._mesh, self._rule, evidence.end)
        return self._save(JournalEntry(state, fresh.begin, impact)), fresh

    # -- watching ------------------------------------------------------------------------------

    def _watch(
        self, entry: JournalEntry, evidence: StepEvidence, step_limit: float
    ) -> JournalEntry:
        """Read until a look is due, and take it."""
        state, plan = entry.state, entry.state.plan
        began = last_call = time.monotonic()
        while True:
            last_call = time.monotonic() if evidence.read() else last_call
            new = evidence.calls(plan.new)
            if state.due(new.total):
                return self._save(replace(entry, state=self._look(state, evidence)))
            if time.monotonic() - began > step_limit:
                self._why = f"nothing to look at for {step_limit:g} s, after {new.total} calls"
                return self._save(_roll_back(entry))
            if time.monotonic() - last_call > QUIET:
                self._say(
                    f"no calls to {plan.service} for {QUIET:g} s; a judge needs traffic: send some"
                    " beside this, as `meshproof load --path PATH` does"
                )
                last_call = time.monotonic()
            time.sleep(POLL)  # nothing signals that a log has grown

    def _look(self, state: ReleaseState, evidence: StepEvidence) -> ReleaseState:
        plan = state.plan
        old, new = evidence.calls(plan.old), evidence.calls(plan.new)
        after, decision = state.look(old, new)
        if decision.action is not Action.WATCH:
            calls = f"{_describe(plan.old, old)}; {_describe(plan.new, new)}"
            message = f"{decision.action}: {decision.why} ({calls})"
            self._say(f"{plan.new} at {state.weight} %: {message}")
            self._why = decision.why if decision.action is Action.ROLL_BACK else ""
        return after


def _describe(version: str, calls: Calls) -> str:
    return f"{version} {calls.total} calls, {calls.failed} failed, median {calls.median():g} ms"


def _roll_back(entry: JournalEntry) -> JournalEntry:
    return replace(entry, state=entry.state.back())


def _settle(evidence: StepEvidence, version: str) -> None:
    """Calls in flight when the weight 0 became live count too: read until the version that gets no
    more of them has no new ones."""
    before = -1
    while (now := evidence.calls(version).total) != before:
        before = now
        time.sleep(POLL)
        evidence.read()
