"""The report of a load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.cli.output import print_info, print_message, show_table
from meshproof.control.client import Client
from meshproof.errors import MeshproofError

if TYPE_CHECKING:
    from meshproof.report.calls import Call
    from meshproof.traffic.results import Results


class LoadReport:
    """Prints where it will be, and reads the mesh's counters as they are before the load."""

    def __init__(self, mesh: Client, artifacts: Path) -> None:
        from meshproof.report.live_section import LiveSection, page_path  # noqa: PLC0415 (slow to import)

        self._page = page_path(artifacts, "load")
        print_info(f"report: {self._page}")
        self._section = LiveSection(mesh)

    def write(self, title: str, results: Results) -> Sequence[Call]:
        """Write it; returns who called whom. Does nothing for a load that sent nothing."""
        if not results.records:
            return ()
        from meshproof.report.sections import verdict_as_json  # noqa: PLC0415
        from meshproof.verdicts.verdict import conclude  # noqa: PLC0415

        reasons = Counter(
            r.error or f"status {r.status}" for r in results.records if not r.answered
        )
        verdict = conclude(
            "every request is answered",
            results.sent,
            {"sent": results.sent, "failed": results.failed, **results.sample().counts},
            [f"{count} x {reason}" for reason, count in reasons.most_common(5)],
            wanted="0 failed requests",
            found=f"{results.failed} of {results.sent} failed",
            allowed="0",
        )
        outcome = "passed" if verdict.passed else "failed"
        try:
            section = self._section.build(
                title, results.records, verdicts=[verdict_as_json(verdict, "pass")], outcome=outcome
            )
            self._section.write("load", section, self._page)
            return section.calls
        except (
            MeshproofError
        ) as error:  # the mesh was ended from elsewhere; the load's result stands
            print_message(f"no report: {error}")
            return ()


def show_calls(calls: Sequence[Call]) -> None:
    """A table of who called whom, by the sidecars' own counts."""
    if calls:
        rows = [(call.source, call.target, str(call.count), str(call.failed)) for call in calls]
        show_table(("From", "To", "Calls", "Failed"), rows)
