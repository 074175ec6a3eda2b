"""A file holds one idea: at most 300 lines, or its first line says why it must be one file."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMIT = 300
REASON = "one file"


def files() -> list[str]:
    tracked = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [f for f in tracked.stdout.split() if not f.startswith("conformance/recorded/")]


def too_long(text: str) -> bool:
    lines = text.splitlines()
    return len(lines) > LIMIT and REASON not in lines[0]


def test_a_file_is_short_or_says_why_not() -> None:
    assert [f for f in files() if too_long((ROOT / f).read_text(encoding="utf-8"))] == []


def test_a_long_file_without_a_reason_is_seen() -> None:
    assert too_long('"""An idea, and another one."""\n' * 301)
    assert not too_long('"""The contract, in one file because ..."""\n' * 301)
    assert not too_long("x = 1\n" * 300)
