"""docs/governance.md: every row has a proof, and the page is what `make docs` writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from meshproof.cli.commands import fault as fault_command
from meshproof.cli.main import app
from meshproof.embedded.fault_injection import FAULTS
from tools.governance import page

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "governance.md").read_text(encoding="utf-8")
GROUPS = (
    "Registration and discovery", "Authentication", "Authorization", "Scaling control",
    "Reverse proxy", "Load balancing", "Route control", "Traffic switching", "Version upgrade",
    "Overload protection", "Degradation", "Error handling", "Log management", "Tracing",
    "Metrics, monitoring, tuning",
)  # fmt: skip
ROWS = [row for group in page.read_rows() for row in group["rows"]]


def without_figures(text: str) -> str:
    """The page without what a run measured: the fourth column, the run's name, the soaks' table."""
    text = re.sub(r"^(\|(?:[^|\n]*\|){3})[^\n]*\|$", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r" These figures are from [^\n]*", "", text)
    return re.sub(r"\| Soak \|[^\n]*\n(\|[^\n]*\n)+\n", "", text)


def test_every_group_of_governance_is_there_once_and_in_order() -> None:
    assert tuple(group["group"] for group in page.read_rows()) == GROUPS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["apply"])[:60])
def test_a_row_has_a_proof_that_exists(row: dict[str, Any]) -> None:
    file, _, test = row["proof"].partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert not test or f"def {test}(" in text
    assert row["see"]


def test_the_page_is_what_the_rows_say() -> None:
    faults = TEXT.partition("## Faults as a tool")[2]
    written, rendered = (
        without_figures(t).partition("## Faults")[0] for t in (TEXT, page.render([]))
    )
    assert written == rendered, "run: make docs"
    assert page.render([]).endswith(faults), "run: make docs"


def test_figures_are_those_of_the_reports() -> None:
    verdict = {"name": "a|b", "passed": True, "expect": "pass", "n": 1300, "found": "33 % each"}
    control = {**verdict, "name": "control", "expect": "fail"}
    title = "test_svcb_round_robin.py::test_three_replicas_get_a_third_each[v1]"
    chapters = [{"title": title, "verdicts": [control, verdict, verdict]}]
    report = {"at": 1.0, "environment": {"mesh": "embedded"}, "chapters": chapters}
    text = page.render([report])
    assert "| a\\|b: 33 % each (n=1,300) |" in text
    assert "one run of the proofs (mesh embedded)" in text
    assert without_figures(text) == without_figures(page.render([]))


def test_soaks_are_told_by_their_verdicts() -> None:
    soak = {"run": "seed-1", "name": "requests", "n": "50,000", "result": "0 failed"}
    assert "| seed-1 | requests | 50,000 | 0 failed |" in page.render([], [soak])
    assert without_figures(page.render([], [soak])) == without_figures(page.render([]))


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:rules|manifests|e2e|tests)/[\w./-]+)", TEXT)
    assert len(named) > 20
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`([\w./]+\.py)::(\w+)", TEXT)
    assert len(named) > 20
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), test


def test_every_command_is_one() -> None:
    commands = set(re.findall(r"`meshproof ([a-z]+)", TEXT))
    assert {"fault", "release", "scale"} <= commands
    assert commands <= set(typer.main.get_group(app).commands)


def test_every_kind_of_fault_is_in_the_table_and_in_the_help() -> None:
    table = TEXT.split("## Faults")[1]
    source = Path(fault_command.__file__).read_text(encoding="utf-8")
    for kind in FAULTS:
        assert re.search(rf"^\| .*`{kind}\b", table, re.MULTILINE), kind
        assert re.search(rf'help="[^"]*\b{kind}\b', source), kind
