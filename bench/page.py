"""The figures of a run as Markdown, between two marks of docs/cost.md: ``python -m bench.page``.

It reads artifacts/bench.json, and replaces only the tables of the parts that were measured.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench import machine, table
from bench.__main__ import OUT
from bench.figures import Figure, Target

PAGE = Path(__file__).parents[1] / "docs" / "cost.md"
_HEAD = "| what | figure | target | | measured on |\n|---|---|---|---|---|"


def render(report: Mapping[str, Any], page: str) -> str:
    """``page`` with the tables of ``report``, a ``bench.json``. Pure. Raises ValueError for a part
    that the page has no place for."""
    for part in report["parts"]:
        begin, end = f"<!-- bench: {part['title']} -->", "<!-- end of bench -->"
        figures = [_figure(f) for f in part["figures"]]
        text = f"{begin}\n\n{_when(report)}\n\n{_table(figures)}\n\n{end}"
        places = re.findall(f"{re.escape(begin)}.*?{re.escape(end)}", page, flags=re.DOTALL)
        if len(places) != 1:
            count = len(places)
            raise ValueError(f"{PAGE.name} has {count} places for {part['title']!r}; wanted 1")
        page = page.replace(places[0], text)
    return page


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
    PAGE.write_text(render(report, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
