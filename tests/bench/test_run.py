"""A run of several parts: what was measured is never lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as bench
from bench.figures import Figure, Part
from bench.load import LoadError


def _run(tmp_path: Path, end: type[BaseException]) -> tuple[bool, dict[str, Any]]:
    def measure(name: str) -> Part:
        if name == "rules":
            raise end("no answer")
        return Part(name, [Figure("seconds", 1.0, "s")])

    out = tmp_path / "artifacts" / "bench.json"
    whole = bench.run(["start", "rules", "command"], bench.Report(), out, measure)
    return whole, json.loads(out.read_text())


def test_a_part_that_fails_costs_no_other_its_figures(tmp_path: Path) -> None:
    whole, report = _run(tmp_path, LoadError)
    assert whole
    assert [part["title"] for part in report["parts"]] == ["start", "command"]
    assert report["failed"] == {"rules": "LoadError: no answer"}


def test_an_interrupt_ends_the_run_and_keeps_what_there_is(tmp_path: Path) -> None:
    whole, report = _run(tmp_path, KeyboardInterrupt)
    assert not whole
    assert [part["title"] for part in report["parts"]] == ["start"]
    assert report["failed"] == {"rules": "interrupted"}


def test_each_part_says_where_the_run_is_and_when_it_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(tmp_path, LoadError)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines if line[0].isdigit()] == [
        "1/3 start",
        "2/3 rules",
        "3/3 command",
    ]
    assert all("the end is expected at" in line for line in lines if line[0].isdigit())


def test_every_part_is_a_module() -> None:
    folder = Path(bench.__file__).parent
    assert [name for name in bench.PARTS if not (folder / f"{name}.py").exists()] == []
