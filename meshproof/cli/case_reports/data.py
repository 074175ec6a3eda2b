"""The report as plain data, for ``-o json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from meshproof.cases.mismatch import Mismatch
from meshproof.cases.results import CaseResult, Outcome, Report


def as_dict(report: Report) -> dict[str, Any]:
    """Every case with what was not as expected, coverage, and mutation coverage (0 to 1)."""
    mutation = report.mutation
    return {
        "passed": report.passed,
        "pods": report.pods,
        "seconds": report.seconds,
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        "problems": [p.as_dict() for p in report.problems],
        "cases": [_case(r) for r in report.results],
        "coverage": {
            "routes": report.coverage.routes,
            "policies": report.coverage.policies,
            "unvisited": [asdict(u) for u in report.coverage.unvisited],
        },
        "mutation": None
        if mutation is None
        else {
            "noticed": mutation.noticed,
            "share": mutation.share,
            "refused": mutation.refused,
            "equivalent": mutation.equivalent,
            "untested": [asdict(s) for s in mutation.survivors],
        },
    }


def _case(result: CaseResult) -> dict[str, Any]:
    case, live = result.case, result.live
    return {
        "name": case.name,
        "row": case.row,
        "request": str(case.request),
        "file": case.place.file,
        "line": case.place.line,
        "rules": [str(f) for f in case.rules.files],
        "outcome": result.outcome.value,
        "seconds": result.seconds,
        "mismatches": [_mismatch(m) for m in result.mismatches],
        "warnings": list(result.warnings),
        "live": None
        if live is None
        else {
            "requests": live.n,
            "judged": list(live.judged),
            "errorRates": live.error_rates,
            "mismatches": [_mismatch(m) for m in live.mismatches],
            "unforeseen": [_mismatch(m) for m in live.unforeseen],
        },
    }


def _mismatch(mismatch: Mismatch) -> dict[str, str]:
    rule = mismatch.rule
    return {
        "field": mismatch.field,
        "wanted": mismatch.wanted,
        "found": mismatch.found,
        "rule": str(rule) if rule else "",
    }
