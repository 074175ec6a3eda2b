"""``meshproof diff``: plans both meshes, compares them, and prints text, Markdown or JSON."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from meshproof.cases.case import RuleSet
from meshproof.cases.difference import Difference, compare
from meshproof.cases.discovery import find_case_files
from meshproof.cases.planned_mesh import PlannedMesh, Planner
from meshproof.cases.reader import read_cases
from meshproof.cases.rule_revisions import read_side
from meshproof.cli.case_run import load_case_project, read_inputs
from meshproof.cli.output import show_json
from meshproof.errors import Problem, Refused, UsageError
from meshproof.inputs import Input
from meshproof.project import Project
from meshproof.project_path import PROJECT_FILE

_EXAMPLES = 3
"""Requests of one route that are shown; the others are counted."""


def run_diff(
    old: str,
    new: str,
    *,
    files: Sequence[str],
    cases: Sequence[str],
    project: Path | None,
    namespace: str,
    output: str,
) -> int:
    """Print the differences; the exit code. ``files`` are part of both sides."""
    if [old, new, *files].count("-") > 1:
        raise UsageError("diff: standard input is one of them; wanted files or revisions")
    loaded = load_case_project(project)
    common = read_inputs(files)
    sides = [[*common, *_inputs(old, new)], [*common, *_inputs(new, old)]]
    before, after = (_plan(loaded, side, namespace) for side in sides)
    more = []
    if cases:
        problems: list[Problem] = []
        more = [c.request for c in read_cases(find_case_files(cases, Path()), {}, problems)]
        if problems:
            raise Refused(problems)
    differences, compared = compare(before, after, more)
    if not (differences or before.workloads or after.workloads):
        raise UsageError(
            "diff: no workload is on either side, so that nobody answers any request; wanted the "
            f"manifests too: -f FILE, or {PROJECT_FILE}"
        )
    if output == "json":
        show_json(_as_dict(differences, compared))
    elif output == "markdown":
        print("\n".join(_markdown(differences, compared, old, new)))
    else:
        print("\n".join(_text(differences, compared)))
    return 1 if differences else 0


def _inputs(side: str, other: str) -> list[Input]:
    return read_inputs(["-"]) if side == "-" else read_side(side, other)


def _plan(project: Project, inputs: list[Input], namespace: str) -> PlannedMesh:
    return Planner(project, inputs, namespace).plan(RuleSet())


def _groups(differences: Sequence[Difference]) -> Iterator[tuple[str, list[Difference]]]:
    """Differences of one pair of rules, under its name."""
    for (old, new), group in itertools.groupby(differences, key=lambda d: d.rules):
        both = f"{old or 'no rule'} → {new or 'no rule'}"
        yield (new or "no rule") if old == new else both, list(group)


def _summary(differences: Sequence[Difference], compared: int) -> str:
    if not differences:
        return f"none of {compared} requests is answered differently"
    return f"{len(differences)} of {compared} requests are answered differently"


def _text(differences: Sequence[Difference], compared: int) -> Iterator[str]:
    for title, group in _groups(differences):
        yield title
        for one in group[:_EXAMPLES]:
            yield f"    {one.request}"
            yield from (f"        {n}: {a or 'none'} → {b or 'none'}" for n, a, b in one.changes)
        if len(group) > _EXAMPLES:
            yield f"    and {len(group) - _EXAMPLES} more requests"
    yield _summary(differences, compared)


def _markdown(
    differences: Sequence[Difference], compared: int, old: str, new: str
) -> Iterator[str]:
    yield f"### Rules: `{old}` → `{new}`"
    yield ""
    yield f"{_summary(differences, compared)}."
    for title, group in _groups(differences):
        yield ""
        yield f"**{_escape(title)}**"
        yield ""
        yield "| request | what | before | after |"
        yield "|---|---|---|---|"
        for one in group[:_EXAMPLES]:
            for name, before, after in one.changes:
                cells = (str(one.request), name, before or "none", after or "none")
                yield "| " + " | ".join(map(_escape, cells)) + " |"
        if len(group) > _EXAMPLES:
            yield ""
            yield f"and {len(group) - _EXAMPLES} more requests"


def _escape(text: str) -> str:
    """As text of a Markdown table's cell."""
    for character in "\\`*_|<>[]":
        text = text.replace(character, f"\\{character}")
    return text


def _as_dict(differences: Sequence[Difference], compared: int) -> dict[str, Any]:
    return {
        "compared": compared,
        "differences": [
            {
                "request": str(d.request),
                "rules": {"old": d.old.rule, "new": d.new.rule},
                "changes": [{"what": n, "old": a, "new": b} for n, a, b in d.changes],
            }
            for d in differences
        ],
    }
