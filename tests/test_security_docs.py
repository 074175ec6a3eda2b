"""docs/security.md against the tests that hold it, and what the linter holds for it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
_SILENCED = re.compile(r"noqa: [^#\n]*\b(S506|S602|S604|S605|S306|S301|S307)\b")


def rows(heading: str) -> list[list[str]]:
    part = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


PROTECTED, NOT = rows("What is protected"), rows("What is not")


def test_there_is_something_to_hold() -> None:
    assert len(PROTECTED) >= 15
    assert sum(bool(row[2]) for row in NOT) >= 4


@pytest.mark.parametrize("row", PROTECTED + NOT, ids=lambda row: row[0][:50])
def test_a_claim_names_a_test_that_is_there(row: list[str]) -> None:
    _, _, proof = row
    if not proof:
        assert row in NOT, "what is protected is proved"
        return
    file, _, test = proof.strip("`").partition("::")
    assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


def test_rules_of_security_are_on_and_not_silenced() -> None:
    """Loaders that make objects, shells, guessable files, eval: ruff's S rules find them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lint = project["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert {r for r in lint["ignore"] if r.startswith("S")} == {"S101", "S603", "S607"}
    free = {name for name, off in lint["per-file-ignores"].items() if "S" in off}
    assert not [name for name in free if name.startswith(("meshproof", "services"))]
    for folder in ("meshproof", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not _SILENCED.search(path.read_text(encoding="utf-8")), path
