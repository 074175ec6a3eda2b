"""Rule files: listed with what they say; a name from a browser opens nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.dashboard import rule_files
from meshproof.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rules = tmp_path / "rules"
    (rules / "old").mkdir(parents=True)
    (rules / "b.yaml").write_text("# Half of the calls\n# go to v0.2.\nkind: X\n# not this\n")
    (rules / "a.yml").write_text("kind: X\n")
    (rules / "README.md").write_text("no rule")
    (rules / "old" / "c.yaml").write_text("kind: Y\n")
    (tmp_path / "secret.yaml").write_text("not a rule of this folder")
    return rules


def test_files_of_the_folder_come_before_those_beneath(folder: Path) -> None:
    assert rule_files.list_names(folder) == ["a.yml", "b.yaml", "old/c.yaml"]


def test_the_first_comment_says_what_a_rule_does(folder: Path) -> None:
    comments = {one["name"]: one["comment"] for one in rule_files.describe(folder)}
    assert comments == {"a.yml": "", "b.yaml": "Half of the calls go to v0.2.", "old/c.yaml": ""}


def test_a_file_is_read_under_the_name_that_messages_use(folder: Path) -> None:
    assert rule_files.read(folder, "old/c.yaml") == ("rules/old/c.yaml", "kind: Y\n")


@pytest.mark.parametrize(
    "name", ["../secret.yaml", "/etc/passwd", "README.md", "", "old", "a.yml\0", "./a.yml"]
)
def test_nothing_else_is_opened(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no rule file"):
        rule_files.read(folder, name)
