"""Table, evidence folder and the judging of negative controls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.report.evidence import ProofFolder, folder_name
from meshproof.report.expectation import ControlFailed, require
from meshproof.report.table import Row, render, row
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.split import split
from meshproof.verdicts.verdict import VerdictFailed

HALF = {"a": 1, "b": 1}
GOOD = split("half", Sample({"a": 2600, "b": 2640}, 0, 5240), HALF)
OFF = split("half", Sample({"a": 3144, "b": 2096}, 0, 5240), HALF)
DARK = split("half", Sample({}, 0, 0), HALF)


def test_a_verdict_that_has_to_pass() -> None:
    assert require(GOOD, "pass", "") is GOOD
    with pytest.raises(VerdictFailed, match="a answered 3144 of 5240"):
        require(OFF, "pass", "")


def test_a_control_must_fail_for_its_own_reason_only() -> None:
    assert require(OFF, "fail", r"answered \d+ of 5240; allowed") is OFF
    with pytest.raises(ControlFailed, match="had to fail and passed"):
        require(GOOD, "fail", "anything")
    with pytest.raises(ControlFailed, match="no evidence"):
        require(DARK, "fail", "answered")


@pytest.mark.parametrize(("expect", "because"), [("fail", ""), ("failure", "x"), ("", "")])
def test_misuse_is_an_error(expect: str, because: str) -> None:
    with pytest.raises(ValueError, match=r"control|expect"):
        require(OFF, expect, because)


def test_rows_survive_json_and_say_how_it_came_out() -> None:
    rows = [row("t.py::a", GOOD, "pass"), row("t.py::a", OFF, "fail"), row("t.py::b", OFF, "pass"),
            row("t.py::b", GOOD, "fail")]  # fmt: skip
    assert [Row.from_json(one.to_json()) for one in rows] == rows
    assert [one.as_expected for one in rows] == [True, True, False, False]
    text = render(rows, 160)
    assert max(len(line) for line in text.splitlines()) <= 160
    outcomes = [one.outcome for one in rows]
    assert outcomes == ["passed", "failed, as it must", "FAILED", "PASSED, had to fail"]
    for wanted in (*outcomes, "5,240", "power 0.9905", "t.py::b", "a 60 %"):
        assert wanted in text


def test_a_folder_is_named_by_the_test_and_starts_empty(tmp_path: Path) -> None:
    name = folder_name("e2e/test_a.py::TestX::test_b[x/y z]")
    assert name == "test_a.TestX.test_b[x-y-z]"
    evidence = ProofFolder(tmp_path, "e2e/test_a.py::test_b")
    evidence.record(GOOD, "pass")
    evidence.record(OFF, "fail")
    written = json.loads((evidence.folder / "verdicts.json").read_text())
    assert [(v["passed"], v["expect"]) for v in written] == [(True, "pass"), (False, "fail")]
    assert written[0]["figures"]["interval_a"] == list(GOOD.pair("interval_a"))
    assert json.loads((evidence.folder / "counts.json").read_text()) == {
        "half": {"a": 3144, "b": 2096}
    }
    ProofFolder(tmp_path, "e2e/test_a.py::test_b")
    assert not evidence.folder.exists()
