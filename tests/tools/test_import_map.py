"""CONTRIBUTING's table of packages is the import contract's, and says what each package is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import import_map

ROOT = Path(__file__).parents[2]


def test_the_table_is_what_the_contract_makes() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert import_map.insert(page) == page, "run: make docs"


def test_every_package_says_what_it_is_in_one_sentence() -> None:
    for layer in import_map.read_layers():
        for package in layer:
            assert import_map.summarize(package).endswith((".", "?")), package


def test_a_page_without_the_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="packages"):
        import_map.insert("# Contributing\n")
