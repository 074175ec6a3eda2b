"""A proof's folder: named by its test, empty at the start, complete after each verdict."""

from __future__ import annotations

import json
from pathlib import Path

from meshproof.report.evidence import ProofFolder, folder_name
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.split import split

HALF = {"a": 1, "b": 1}
GOOD = split("half", Sample({"a": 2600, "b": 2640}, 0, 5240), HALF)
OFF = split("half", Sample({"a": 3144, "b": 2096}, 0, 5240), HALF)


def test_a_folder_is_named_by_the_test_and_starts_empty(tmp_path: Path) -> None:
    name = folder_name("e2e/test_a.py::TestX::test_b[x/y z]")
    assert name == "test_a.TestX.test_b[x-y-z]"
    evidence = ProofFolder(tmp_path, "e2e/test_a.py::test_b")
    evidence.record(GOOD, "pass")
    evidence.record(OFF, "fail")
    verdicts = json.loads((evidence.folder / "verdicts.json").read_text())
    assert [(v["passed"], v["expect"]) for v in verdicts] == [(True, "pass"), (False, "fail")]
    assert verdicts[0]["figures"]["interval_a"] == list(GOOD.pair("interval_a"))
    assert json.loads((evidence.folder / "counts.json").read_text()) == {
        "half": {"a": 3144, "b": 2096}
    }
    ProofFolder(tmp_path, "e2e/test_a.py::test_b")
    assert not evidence.folder.exists()
