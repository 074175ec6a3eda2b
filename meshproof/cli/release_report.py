"""The report of a release: which weight was moved when, and what the versions answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.control.client import Client
from meshproof.report.live_section import LiveSection, page_path
from meshproof.report.sections import verdict_as_json
from meshproof.traffic.record import Record
from meshproof.verdicts.access_records import cluster_subset
from meshproof.verdicts.verdict import Verdict, conclude

if TYPE_CHECKING:
    from meshproof.mesh import AccessRecord
    from meshproof.release.controller import ReleaseOutcome
    from meshproof.release.evidence import ReleaseMesh
    from meshproof.release.weights import WeightedRule

_CAPACITY = 500_000
"""Calls that are drawn, the newest; the judge has counted all of them."""


class ReleaseReport:
    """A ``release.evidence.ReleaseMesh`` that records what passes between release and mesh."""

    def __init__(
        self, client: Client, mesh: ReleaseMesh, rule: WeightedRule, artifacts: Path
    ) -> None:
        self.page = page_path(artifacts, "release")
        self._mesh = mesh
        self._versions = {subset: version for version, subset in rule.subsets.items()}
        self._records: deque[Record] = deque(maxlen=_CAPACITY)
        self._steps: list[str] = []
        self._section = LiveSection(client)

    def apply(self, text: str) -> float:
        seconds = self._mesh.apply(text)
        self._section.note_shares()
        return seconds

    def tail(self, host: str, cursor: str) -> tuple[Iterable[AccessRecord], str]:
        records, next_cursor = self._mesh.tail(host, cursor)
        calls = list(records)
        self._records += map(self._record, calls)
        return calls, next_cursor

    def add_step(self, line: str) -> None:
        """One line of what the release did."""
        self._steps.append(line)

    def write(self, outcome: ReleaseOutcome) -> None:
        plan = outcome.state.plan
        section = self._section.build(
            f"Release of {plan.service}: {plan.old} to {plan.new}",
            list(self._records),
            verdicts=[verdict_as_json(_verdict(outcome), "pass")],
            steps=self._steps,
            outcome=str(outcome.state.phase),
        )
        self._section.write("release", section, self.page)

    def _record(self, call: AccessRecord) -> Record:
        answered = 0 < call.code < 500
        version = self._versions.get(cluster_subset(call), "")
        return Record(
            datetime.fromisoformat(call.time).timestamp(), call.duration_ms / 1000,
            200 if answered else call.code, "" if answered else f"status {call.code}", version,
            trace_id=call.trace_id,
        )  # fmt: skip


def _verdict(outcome: ReleaseOutcome) -> Verdict:
    plan, impact = outcome.state.plan, outcome.impact
    limits = plan.limits
    return conclude(
        f"{plan.new} does no harm",
        impact.calls,
        {"calls": impact.calls, "failed": impact.failed, "slowed": impact.slowed},
        [] if outcome.released else [outcome.why or "it was rolled back"],
        wanted=f"no worse than {plan.old}",
        found=f"of {impact.calls} calls {impact.failed} failed and {impact.slowed} were late",
        allowed=f"{100 * limits.margin_failed:g} of 100 calls more that fail, {limits.margin_ms:g}"
        " ms more",
        figures={"alpha": limits.alpha, "beta": limits.beta},
    )
