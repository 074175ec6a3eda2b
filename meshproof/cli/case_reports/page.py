"""The report as one HTML page without scripts and without anything from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from meshproof.cases.results import CaseResult, Report
from meshproof.cli.case_reports.text import summarize

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
  color: #1a1a1a; background: #fff }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
td, th { text-align: left; vertical-align: top; padding: .35rem .6rem; border-top: 1px solid #ddd }
.passed { color: #1a6b2f } .failed, .disagreed { color: #a4161a } code { font-size: 13px }
pre { margin: .2rem 0; white-space: pre-wrap; font-size: 13px }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #e4e4e4 }
  td, th { border-color: #444 } .passed { color: #7bd88f } .failed, .disagreed { color: #ff8a8a } }
"""


def render(report: Report) -> str:
    """Cases that did not pass come first."""
    results = sorted(report.results, key=lambda r: r.outcome == "passed")
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>meshproof test</title>',
        f"<style>{_STYLE}</style></head><body><h1>meshproof test</h1>",
        f"<p><strong>{escape(summarize(report))}</strong></p>",
    ]
    if report.problems:
        parts += ["<h2>Refused</h2>", *_list(str(p) for p in report.problems)]
    if results:
        parts += ["<h2>Cases</h2><table><tr><th>outcome</th><th>case</th><th>where</th></tr>"]
        parts += [_row(result) for result in results]
        parts += ["</table>"]
    if report.coverage.unvisited:
        parts += ["<h2>No case visits</h2>", *_list(str(u) for u in report.coverage.unvisited)]
    if report.mutation and report.mutation.survivors:
        parts += ["<h2>No case notices</h2>", *_list(str(s) for s in report.mutation.survivors)]
    return "\n".join([*parts, "</body></html>", ""])


def _row(result: CaseResult) -> str:
    case, outcome = result.case, result.outcome.value
    lines = "\n".join([*result.lines, *result.warnings])
    detail = f"<pre>{escape(lines)}</pre>" if lines else ""
    place = escape(f"{case.place.file}:{case.place.line}")
    return (
        f'<tr><td class="{outcome}">{outcome}</td><td>{escape(case.title)}{detail}</td>'
        f"<td><code>{place}</code></td></tr>"
    )


def _list(lines: Iterable[str]) -> Iterator[str]:
    yield "<ul>"
    yield from (f"<li><code>{escape(line)}</code></li>" for line in lines)
    yield "</ul>"
