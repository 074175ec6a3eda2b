"""Whose the evidence's folder is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meshproof.plugin import artifacts
from meshproof.plugin.artifacts import claim


@pytest.fixture(autouse=True)
def _let_go(monkeypatch: pytest.MonkeyPatch) -> object:
    held: list[int] = []
    monkeypatch.setattr(artifacts, "_held", held)
    yield
    for file in held:
        os.close(file)


def test_workers_of_one_session_share_it(tmp_path: Path) -> None:
    assert claim(tmp_path / "a", "one") == claim(tmp_path / "a", "one") == tmp_path / "a"


def test_a_second_session_has_its_own(tmp_path: Path) -> None:
    assert claim(tmp_path, "one") == tmp_path
    own = claim(tmp_path, "two")
    assert own == tmp_path / "session-two"
    assert own.is_dir()
    assert claim(tmp_path, "one") == tmp_path


def test_it_is_free_again_when_its_session_has_ended(tmp_path: Path) -> None:
    claim(tmp_path, "one")
    os.close(artifacts._held.pop())
    assert claim(tmp_path, "two") == tmp_path
