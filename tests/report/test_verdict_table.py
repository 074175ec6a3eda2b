"""The table of verdicts at the end of a test run."""

from __future__ import annotations

from meshproof.report.verdict_table import Row, build_row, render
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.split import split

HALF = {"a": 1, "b": 1}
GOOD = split("half", Sample({"a": 2600, "b": 2640}, 0, 5240), HALF)
OFF = split("half", Sample({"a": 3144, "b": 2096}, 0, 5240), HALF)


def test_rows_survive_json_and_name_the_outcome() -> None:
    rows = [
        build_row("t.py::a", GOOD, "pass"),
        build_row("t.py::a", OFF, "fail"),
        build_row("t.py::b", OFF, "pass"),
        build_row("t.py::b", GOOD, "fail"),
    ]
    assert [Row.from_json(one.to_json()) for one in rows] == rows
    assert [one.as_expected for one in rows] == [True, True, False, False]
    text = render(rows, 160)
    assert max(len(line) for line in text.splitlines()) <= 160
    outcomes = [one.outcome for one in rows]
    assert outcomes == ["passed", "failed, as it must", "FAILED", "PASSED, had to fail"]
    for text_expected in (*outcomes, "5,240", "power 0.9905", "t.py::b", "a 60 %"):
        assert text_expected in text
