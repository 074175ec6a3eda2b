"""The report of a pytest session: its tests' outcomes, joined with their evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshproof.report import machine
from meshproof.report.evidence import SECTION, folder_name
from meshproof.report.sections import Json, Section, build_report

_LONGEST = 6_000
"""Characters of a failure's text; the whole text is in the terminal and in JUnit's file."""


@dataclass(slots=True)
class TestOutcome:
    """The outcome of one test, over its setup, call and teardown."""

    __test__ = False  # pytest would take it for a test class

    test: str
    outcome: str = "passed"
    seconds: float = 0.0
    message: str = ""

    def add(self, phase: Any) -> None:
        """Add one phase: a ``pytest.TestReport``."""
        self.seconds += phase.duration
        if phase.failed:
            self.outcome = "failed"
            overload = [text for title, text in phase.sections if title == machine.SECTION]
            parts = (self.message, phase.longreprtext, *overload)
            self.message = "\n".join(filter(None, parts))
        elif phase.skipped and self.outcome == "passed":
            self.outcome = "skipped"
            self.message = str(phase.longrepr[2]) if isinstance(phase.longrepr, tuple) else ""


def write_session_report(reports: Iterable[Any], file: Path, mesh: str, since: float) -> Path:
    """Write a session's report; returns the path of its page. ``since`` is when the session began,
    in Unix seconds: older evidence belongs to another session."""
    from meshproof.report.environment import describe_environment  # noqa: PLC0415 (runs Envoy)
    from meshproof.report.page import write_report  # noqa: PLC0415 (the template engine)

    sections = build_sections(collect_outcomes(reports), file.parent, since)
    environment = describe_environment(mesh)
    report = build_report("proofs", "Proofs on a service mesh", environment, sections, since)
    return write_report(report, file)


def collect_outcomes(reports: Iterable[Any]) -> list[TestOutcome]:
    """One per test, in the order in which they ran."""
    outcomes: dict[str, TestOutcome] = {}
    for phase in reports:
        outcomes.setdefault(phase.nodeid, TestOutcome(phase.nodeid)).add(phase)
    return list(outcomes.values())


def build_sections(tests: Iterable[TestOutcome], artifacts: Path, since: float) -> list[Json]:
    """One section per test; without evidence it has only the test's outcome."""
    return [_build_section(test, artifacts, since) for test in tests]


def _build_section(test: TestOutcome, artifacts: Path, since: float) -> Json:
    outcome = {
        "title": test.test.rpartition("/")[2],
        "outcome": test.outcome,
        "message": test.message[-_LONGEST:],
        "seconds": test.seconds,
    }
    file = artifacts / folder_name(test.test) / SECTION
    if file.exists() and file.stat().st_mtime >= since:
        return {**json.loads(file.read_text(encoding="utf-8")), **outcome}
    return {**Section("").as_dict(), **outcome}
