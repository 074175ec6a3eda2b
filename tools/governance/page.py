"""docs/governance.md as text: rows from ``rows.yaml``, figures from reports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import yaml

Json = dict[str, Any]
HERE = Path(__file__).parent
REPORTS = ("report.json", "report-long.json", "report-alone.json", "report-nightly.json")
_CASE = re.compile(r"\[.*\]$", re.DOTALL)


def read_rows() -> list[Json]:
    """Groups with their rows, in the order of the page."""
    groups: list[Json] = yaml.safe_load((HERE / "rows.yaml").read_text(encoding="utf-8"))
    return groups


def read_reports(artifacts: Path) -> list[Json]:
    """The reports of ``make e2e``, ``e2e-long`` and ``e2e-nightly``, as far as there are any."""
    files = [artifacts / name for name in REPORTS]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()]


def verdicts_by_proof(reports: Iterable[Mapping[str, Any]]) -> dict[str, list[Json]]:
    """``e2e/test_x.py::test_y`` -> its positive verdicts, every parametrized case's in turn."""
    by_proof: dict[str, list[Json]] = {}
    for report in reports:
        for section in report["chapters"]:
            proof = f"e2e/{_CASE.sub('', section['title'])}"
            judged = [v for v in section["verdicts"] if v["expect"] == "pass" and v["passed"]]
            by_proof.setdefault(proof, []).extend(judged)
    return by_proof


def describe(verdicts: Sequence[Mapping[str, Any]], most: int = 2) -> str:
    """The figures of a proof in one table cell: the first verdicts, one of each name."""
    by_name: dict[str, Mapping[str, Any]] = {}
    for verdict in verdicts:
        by_name.setdefault(verdict["name"], verdict)
    first = list(by_name.values())[:most]
    text = "; ".join(f"{v['name']}: {v['found']} (n={v['n']:,})" for v in first)
    return text.replace("|", "\\|").replace("\n", " ")


def read_soaks(artifacts: Path) -> list[Json]:
    """The verdicts of every soak whose folder is there."""
    rows = []
    for file in sorted(artifacts.glob("soak.*/verdicts.json")):
        for verdict in json.loads(file.read_text(encoding="utf-8")):
            cell = str(verdict["found"]).replace("|", "\\|")
            run = file.parent.name.partition(".")[2]
            rows.append(
                {"run": run, "name": verdict["name"], "n": f"{verdict['n']:,}", "result": cell}
            )
    return rows


def render(reports: Sequence[Mapping[str, Any]], soaks: Sequence[Json] = ()) -> str:
    """The whole page. Without reports it has no column of figures."""
    verdicts = verdicts_by_proof(reports)
    groups = []
    for group in read_rows():
        rows = [
            {**row, "figures": describe(verdicts.get(row["proof"], ()))} for row in group["rows"]
        ]
        measured = any(row["figures"] for row in rows)
        groups.append({"group": group["group"], "rows": rows, "measured": measured})
    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(loader=loader, trim_blocks=True)  # noqa: S701  # Markdown
    template = environment.get_template("page.md.j2")
    page = template.render(groups=groups, soaks=soaks, source=_source(reports))
    return re.sub(r"\n{3,}", "\n\n", page).rstrip() + "\n"


def _source(reports: Sequence[Mapping[str, Any]]) -> str:
    if not reports:
        return ""
    newest = max(reports, key=lambda report: report["at"])["environment"]
    keys = ("mesh", "Envoy", "cores")
    facts = ", ".join(f"{key} {newest[key]}" for key in keys if key in newest)
    return f"one run of the proofs ({facts})"
