from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import bench
from bench.__main__ import PARTS
from bench.page import BUSY, PAGE, render, render_busy

PAGE_TEXT = "# Cost\n\n<!-- bench: tax -->\nold\n<!-- end of bench -->\n\nThe rest.\n"


def report(title: str) -> dict[str, Any]:
    figure = {"name": "ratio", "value": 1.5, "unit": "", "note": "medians"}
    machine = dict.fromkeys(("cpu", "kernel", "python", "envoy"), "x")
    machine |= dict.fromkeys(("cores", "memory_gib", "load_before", "load_after"), "2")
    figures = [{**figure, "target": "at most 1.25"}, {**figure, "value": None, "target": None}]
    part = {"title": title, "figures": figures}
    return {"when": "2026-12-01T00:00:00+00:00", "machine": machine, "parts": [part]}


def test_a_part_replaces_its_own_table_alone() -> None:
    text = render(report("tax"), PAGE_TEXT)
    assert "old" not in text
    assert "| ratio | 1.50 | at most 1.25 | MISSED | medians |" in text
    assert "| ratio | none |  |  | medians |" in text
    assert text.startswith("# Cost\n")
    assert text.endswith("The rest.\n")
    assert render(report("tax"), text) == text


def test_a_busy_machine_has_one_table_of_what_has_a_target() -> None:
    text = render_busy(report("tax"), PAGE_TEXT.replace("bench: tax", f"bench: {BUSY}"))
    assert "| tax: ratio | 1.50 | at most 1.25 | MISSED | medians |" in text
    assert "none" not in text
    assert f"<!-- bench: {BUSY} -->" in PAGE.read_text(encoding="utf-8")


def test_a_part_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 places for 'start'"):
        render(report("start"), PAGE_TEXT)


def test_the_page_has_a_place_for_every_part() -> None:
    folder = Path(bench.__file__).parent
    sources = [(folder / f"{name}.py").read_text(encoding="utf-8") for name in PARTS]
    titles = [match[1] for s in sources for match in re.finditer(r'return Part\(\s*"([^"]+)"', s)]
    assert len(titles) == len(PARTS)
    for title in titles:
        text = render(report(title), PAGE.read_text(encoding="utf-8"))
        assert "| ratio | 1.50 |" in text
