"""Two reports beside one another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from meshproof.cli.main import app
from meshproof.report.compare import compare
from meshproof.report.page import write_report
from meshproof.report.sections import ChangeRecord, Section, build_report, verdict_as_json
from meshproof.report.series import build_series
from meshproof.traffic.record import Record
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.split import split

GOOD = split("half", Sample({"a": 2600, "b": 2640}, 0, 5240), {"a": 1, "b": 1})
OFF = split("half", Sample({"a": 3144, "b": 2096}, 0, 5240), {"a": 1, "b": 1})


def _report(
    *, verdict: Any = GOOD, ms: float = 10, more: str = "", outcome: str = "passed"
) -> dict[str, Any]:
    load = build_series([Record(i / 100, ms / 1000, 200, version="a") for i in range(100)])
    assert load is not None
    change = ChangeRecord("apply", "x", 0, ms / 1e4, 3)
    chapters = [
        Section("t.py::a", [verdict_as_json(verdict, "pass")], [load], [change], outcome=outcome),
        *([Section(more, outcome="failed")] if more else []),
    ]
    return build_report("proofs", "Proofs", {"Envoy": "1"}, [c.as_dict() for c in chapters], 0.0)


def test_the_same_is_the_same() -> None:
    comparison = compare(_report(), _report())
    assert (comparison.environment, comparison.differences, comparison.worse) == ({}, [], False)
    assert {ratio.times for ratio in comparison.ratios} == {1.0}


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        (_report(), _report(verdict=OFF), True),
        (_report(verdict=OFF), _report(), False),
        (_report(), _report(outcome="failed"), True),
        (_report(), _report(more="t.py::new"), True),
        (_report(more="t.py::old"), _report(), False),
    ],
)
def test_worse_is_what_was_as_it_must_be(
    before: dict[str, Any], after: dict[str, Any], worse: bool
) -> None:
    comparison = compare(before, after)
    assert len(comparison.differences) == 1
    assert comparison.worse is worse


def test_figures_are_ratios_the_furthest_first() -> None:
    comparison = compare(_report(ms=10), _report(ms=30))
    assert comparison.ratios[0].times == pytest.approx(3)
    assert {r.figure for r in comparison.ratios if r.times == pytest.approx(3)} == {
        "median, ms", "99 %, ms", "live after, ms (median)",
    }  # fmt: skip


def test_the_command_says_what_is_worse_and_ends_so(tmp_path: Path) -> None:
    good, bad = tmp_path / "good" / "report.json", tmp_path / "bad" / "report.json"
    write_report(_report(), good)
    write_report(_report(verdict=OFF, ms=20), bad)
    run = CliRunner().invoke(app, ["report", "compare", str(good.parent), str(bad)])
    assert run.exit_code == 1
    assert "WORSE t.py::a: half   passed   FAILED" in run.stdout
    assert "2.00" in run.stdout
    back = CliRunner().invoke(app, ["report", "compare", str(bad), str(good), "-o", "json"])
    assert back.exit_code == 0
    output = json.loads(back.stdout)
    assert output["worse"] is False
    assert output["differences"][0]["before"] == "FAILED"
