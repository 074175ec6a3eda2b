"""The figures of a run as Markdown, between two marks of docs/cost.md: ``python -m bench.page``.

It reads artifacts/bench.json, and replaces only the tables of the parts that were measured; with
the argument ``busy``, the one table of a busy machine, which has what has a target.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import machine, table
from bench.__main__ import OUT
from bench.figures import Figure, Target

BUSY = "on a busy machine"
"""The title of that machine's table."""
PAGE = Path(__file__).parents[1] / "docs" / "cost.md"
_HEAD = "| what | figure | target | | measured on |\n|---|---|---|---|---|"


def render(report: Mapping[str, Any], page: str) -> str:
    """``page`` with the tables of ``report``, a ``bench.json``. Pure. Raises ValueError for a part
    that the page has no place for."""
    for part in report["parts"]:
        page = _replace(page, part["title"], report, map(_figure, part["figures"]))
    return page


def render_busy(report: Mapping[str, Any], page: str) -> str:
    """``page`` with one table of all that has a target in ``report``, the run of a busy machine.
    Pure."""
    figures = [
        replace(figure, name=f"{part['title']}: {figure.name}")
        for part in report["parts"]
        for figure in map(_figure, part["figures"])
        if figure.target is not None
    ]
    return _replace(page, BUSY, report, figures)


def _replace(page: str, title: str, report: Mapping[str, Any], figures: Iterable[Figure]) -> str:
    begin, end = f"<!-- bench: {title} -->", "<!-- end of bench -->"
    text = f"{begin}\n\n{_when(report)}\n\n{_table(figures)}\n\n{end}"
    places = re.findall(f"{re.escape(begin)}.*?{re.escape(end)}", page, flags=re.DOTALL)
    if len(places) != 1:
        raise ValueError(f"{PAGE.name} has {len(places)} places for {title!r}; wanted 1")
    return page.replace(places[0], text)


def _when(report: Mapping[str, Any]) -> str:
    return f"{report['when'][:10]}: {machine.line(report['machine'])}."


def _table(figures: Iterable[Figure]) -> str:
    rows = ["| " + " | ".join(table.row(f)) + " |" for f in figures]
    return "\n".join([_HEAD, *rows])


def _figure(data: Mapping[str, Any]) -> Figure:
    bound, _, limit = (data["target"] or "").rpartition(" ")
    target = Target(bound, float(limit)) if limit else None  # type: ignore[arg-type]  # as written
    value = float("nan") if data["value"] is None else data["value"]
    return Figure(data["name"], value, data["unit"], target, data["note"])


def main() -> int:
    report = json.loads(OUT.read_text(encoding="utf-8"))
    write = render_busy if sys.argv[1:] == ["busy"] else render
    PAGE.write_text(write(report, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
