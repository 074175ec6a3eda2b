"""docs/governance.md against the files: what it names is there, and what it lacks it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from meshproof.cli import fault as fault_command
from meshproof.embedded.fault_injection import _KNOWN

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "governance.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.split("\n## ")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| Row ")
]
WANTED = (
    "Registration and discovery", "Authentication", "Authorization", "Scaling control",
    "Reverse proxy", "Load balancing", "Route control", "Traffic switching", "Version upgrade",
    "Overload protection", "Degradation", "Error handling", "Log management", "Tracing",
    "Metrics, monitoring, tuning",
)  # fmt: skip


def test_every_row_of_governance_is_there_once_and_in_order() -> None:
    assert tuple(row[0] for row in ROWS if row[0]) == WANTED


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:2])[:60])
def test_a_line_has_a_proof_that_exists_or_says_not_yet(row: list[str]) -> None:
    _, _, seen, proof = row
    if not proof:
        assert "**not yet**" in seen
        return
    assert "**not yet**" not in seen
    file, _, test = proof.strip("`").partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert not test or f"def {test}(" in text


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
    known = (ROOT / "meshproof" / "cli" / "main.py").read_text(encoding="utf-8")
    assert {"fault", "release", "scale"} <= commands
    for command in commands:
        assert re.search(rf"app\.command\(\)\(\w+\.{command}\)", known), command


def test_every_kind_of_fault_is_in_the_table_and_in_the_help() -> None:
    table = TEXT.split("## Faults")[1]
    source = Path(fault_command.__file__).read_text(encoding="utf-8")
    for kind in _KNOWN:
        assert re.search(rf"^\| .*`{kind}\b", table, re.MULTILINE), kind
        assert re.search(rf'help="[^"]*\b{kind}\b', source), kind
