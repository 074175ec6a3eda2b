"""Peers' suites are run where they lie, and counted by our own verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance import __main__ as command
from conformance import peers
from conformance.replay import Outcome

SCRIPT = """#!/bin/sh
mkdir -p "$1/artifacts/peers"
cp "$(dirname "$0")"/*.json "$(dirname "$0")"/findings.log "$1/artifacts/peers"
echo "$@" > "$1/arguments"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with suites beside it."""
    folder = tmp_path / "shared" / "peers"
    folder.mkdir(parents=True)
    verdicts = ["agree", "agree", "differ", "refused", "notportable", "broken"]
    (folder / "routing.json").write_text(json.dumps([{"verdict": v} for v in verdicts]))
    verdicts = ["agree (taken)", "agree (refused)", "refused by name", "differ: valid refused"]
    (folder / "validation.json").write_text(json.dumps([{"verdict": v} for v in verdicts]))
    (folder / "findings.log").write_text("as Istio 01\nDIFFERS 02\n1 differ of 2\n")
    runner = folder / "run_all.sh"
    runner.write_text(SCRIPT)
    runner.chmod(0o700)
    root = tmp_path / "checkout"
    root.mkdir()
    return root


def test_verdicts_are_counted_by_suite(root: Path) -> None:
    counts = peers.run(root, ("routing", "findings", "validation", "sim2"))
    assert counts == {
        "routing": {"agreed": 2, "different": 2, "refused": 1, "not portable": 1},
        "findings": {"agreed": 1, "different": 1},
        "validation": {"agreed": 2, "refused": 1, "different": 1},
    }
    assert (root / "arguments").read_text().split()[1:] == [
        *("routing", "findings", "validation", "sim2"),
    ]


def test_an_old_result_does_not_count(root: Path) -> None:
    results = root / "artifacts" / "peers"
    results.mkdir(parents=True)
    (results / "sim2.json").write_text('[{"verdict": "agree"}]')
    assert "sim2" not in peers.run(root, ("routing", "sim2"))


def test_a_table_has_the_recorded_cases_first_and_names_what_was_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "FOLDER", tmp_path / "checkout" / "conformance")
    command._print_suites([Outcome("a", "agreed")], ("routing",))
    head, row, skipped = capsys.readouterr().out.splitlines()
    assert head.split() == ["suite", "agreed", "different", "refused", "not", "portable"]
    assert row.split() == ["recorded", "1", "0", "0", "0"]
    assert skipped.startswith("peers' suites: skipped")
