"""The report on a terminal: what failed, what no case visits, what no case notices."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.cases.results import CaseResult, Outcome, Report

_SHOWN = 20
"""Survivors and unvisited routes that are listed; the other formats list all."""


def render(report: Report, *, every: bool = False, all_units: bool = False) -> str:
    """``every`` lists cases that passed as well; ``all_units`` every survivor."""
    return "\n".join(_lines(report, every, all_units))


def _lines(report: Report, every: bool, all_units: bool) -> Iterator[str]:
    for problem in report.problems:
        yield str(problem)
    for result in report.results:
        if every or result.outcome is not Outcome.PASSED:
            yield from _render_result(result)
    warnings = dict.fromkeys(w for r in report.results for w in r.warnings)
    yield from (f"warning: {warning}" for warning in warnings)
    rates = dict.fromkeys(r.live.error_rates for r in report.results if r.live)
    yield from (f"live: {rate}" for rate in rates)
    limit = None if all_units else _SHOWN
    yield from _units("no case visits", [str(u) for u in report.coverage.unvisited], limit)
    if report.mutation is not None:
        survivors = [str(s) for s in report.mutation.survivors]
        yield from _units("no case notices", survivors, limit)
    yield summarize(report)


def _render_result(result: CaseResult) -> Iterator[str]:
    case = result.case
    yield f"{result.outcome.value} {case.place.file}:{case.place.line}: {case.title}"
    yield from (f"    {line}" for line in result.lines)


def _units(title: str, lines: list[str], limit: int | None) -> Iterator[str]:
    yield from (f"{title} {line}" for line in lines[:limit])
    if limit is not None and len(lines) > limit:
        yield f"{title} {len(lines) - limit} more (-v lists them)"


def summarize(report: Report) -> str:
    """One line with every figure."""
    if report.problems:
        return f"nothing was judged: {_count(len(report.problems), 'problem')}"
    parts = [_count(report.count(Outcome.PASSED), "passed", "passed")]
    for outcome in (Outcome.FAILED, Outcome.DISAGREED):
        if number := report.count(outcome):
            parts.append(f"{number} {outcome.value}")
    where = "" if report.pods else " in a mesh without pods"
    text = f"{_count(len(report.results), 'case')}{where}: {', '.join(parts)}"
    units = report.coverage.routes + report.coverage.policies
    if units:
        visited = units - len(report.coverage.unvisited)
        text += f"; {visited} of {_count(units, 'route and policy', 'routes and policies')} visited"
    if (mutation := report.mutation) is not None and mutation.share is not None:
        text += (
            f"; {mutation.noticed} of {_count(mutation.total, 'altered field')} noticed"
            f" ({100 * mutation.share:.0f} %)"
        )
    return f"{text} in {report.seconds:.2f} s"


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
