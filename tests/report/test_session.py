"""A session's report: outcomes of tests over their phases, joined with this session's evidence."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

from meshproof.report import machine
from meshproof.report.evidence import SECTION, folder_name
from meshproof.report.sections import Section
from meshproof.report.session import build_sections, collect_outcomes


def _phase(when: str, outcome: str, text: str = "") -> SimpleNamespace:
    return SimpleNamespace(
        nodeid="e2e/test_a.py::test_b", when=when, duration=1.0, failed=outcome == "failed",
        skipped=outcome == "skipped", longreprtext=text, longrepr=("f", 1, "why not"),
        sections=[("Captured stdout", "much"), (machine.SECTION, "overloaded")] if text else [],
    )  # fmt: skip


def test_a_test_is_what_its_worst_phase_was() -> None:
    phases = [
        _phase("setup", "passed"),
        _phase("call", "passed"),
        _phase("teardown", "failed", "x"),
    ]
    (one,) = collect_outcomes(phases)
    assert (one.outcome, one.message, one.seconds) == ("failed", "x\noverloaded", 3.0)
    (other,) = collect_outcomes([_phase("setup", "skipped"), _phase("teardown", "passed")])
    assert (other.outcome, other.message) == ("skipped", "why not")


def test_evidence_of_an_earlier_session_is_ignored(tmp_path: Path) -> None:
    folder = tmp_path / folder_name("e2e/test_a.py::test_b")
    folder.mkdir()
    (folder / SECTION).write_text(json.dumps(Section("", verdicts=[{}, {}]).as_dict()))
    tests = collect_outcomes([_phase("call", "passed")])
    (now,) = build_sections(tests, tmp_path, since=0.0)
    (later,) = build_sections(tests, tmp_path, since=1e12)
    assert len(now["verdicts"]) == 2
    assert later["verdicts"] == []
    assert now["title"] == later["title"] == "test_a.py::test_b"
