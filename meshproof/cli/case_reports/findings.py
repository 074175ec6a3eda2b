"""What failed as findings, for SARIF and GitHub annotations: each at its file and line."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.cases.results import Outcome, Report
from meshproof.cli.findings import Finding
from meshproof.errors import Problem

RULES = {
    "refused": "A file of rules or of cases is refused; nothing was judged.",
    "case-failed": "A case of meshproof test failed.",
    "case-disagreed": "Files and the running mesh say different things of one case.",
    "case-warning": "A case passed, but Istio does more than it looks at.",
    "unvisited": "No case visits this route or policy.",
    "untested": "This field was altered, and no case noticed.",
}
_OF_OUTCOME = {Outcome.FAILED: "case-failed", Outcome.DISAGREED: "case-disagreed"}


def findings(report: Report) -> list[Finding]:
    """Failures are errors; what no case notices is a warning, what none visits a note."""
    return [*(Finding(p, "error") for p in report.problems), *_findings(report)]


def _findings(report: Report) -> Iterator[Finding]:
    for result in report.results:
        place, title = result.case.place, result.case.title
        if rule := _OF_OUTCOME.get(result.outcome):
            text = "; ".join(result.lines)
            yield Finding(Problem(place.file, place.line, title, "", text, "", "", rule), "error")
        for warning in result.warnings:
            problem = Problem(place.file, place.line, title, "", warning, "", "", "case-warning")
            yield Finding(problem, "warning")
    for unit in report.coverage.unvisited:
        text = "no case visits it"
        problem = Problem(unit.file, unit.line, unit.title, unit.field, text, "", "", "unvisited")
        yield Finding(problem, "note")
    for survivor in report.mutation.survivors if report.mutation else ():
        text = f"{survivor.change}: no case notices"
        yield Finding(
            Problem(
                survivor.file, survivor.line, survivor.title, survivor.field, text, "", "",
                "untested",
            ),
            "warning",
        )  # fmt: skip
