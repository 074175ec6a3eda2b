"""``meshproof test --live``: the cases of rules, judged by evidence; files and mesh agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshproof.cases.live import run_live
from meshproof.cases.mismatch import Mismatch
from meshproof.cases.planned_mesh import Planner
from meshproof.cases.reader import read_cases
from meshproof.cases.results import CaseResult, Outcome
from meshproof.cases.run import run_static
from meshproof.mesh import Mesh
from meshproof.project import load_project

pytestmark = [pytest.mark.long, pytest.mark.proxy]
ROOT = Path(__file__).parents[1]
STEMS = (
    "svcb_by_header",
    "svcb_only_from_svca",
    "only_svcb_may_leave_for_msgd",
    "svcb_v0_1_90_v0_2_10",
)


class Borrowed:
    """The session's mesh, which its fixture starts and ends."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    def __getattr__(self, name: str) -> Any:
        return (lambda: None) if name in ("up", "down") else getattr(self._mesh, name)


def judge(mesh: Mesh, stem: str) -> list[CaseResult]:
    problems: list[Any] = []
    cases = read_cases([ROOT / "rules" / "tests" / f"{stem}_test.yaml"], {}, problems)
    assert problems == []
    project = load_project(ROOT / "meshproof.yaml")
    planner = Planner(replace(project, pods=getattr(mesh, "in_pods", True)))
    results = run_static(cases, planner).results
    return run_live(results, planner, lambda _project: Borrowed(mesh))


@pytest.mark.parametrize("stem", STEMS)
def test_files_and_mesh_say_the_same(mesh: Mesh, stem: str) -> None:
    results = judge(mesh, stem)
    assert [line for r in results for line in r.lines] == []
    assert any(r.live is not None and r.live.n >= 50 for r in results)


def test_where_they_do_not_it_is_a_failure_of_its_own(mesh: Mesh) -> None:
    """The negative control: as if the files had said otherwise."""
    result = next(r for r in judge(mesh, "svcb_by_header") if r.live is not None)
    other = replace(result, mismatches=(Mismatch("workload", "svcb", "somebody else"),))
    assert (result.outcome, other.outcome) == (Outcome.PASSED, Outcome.DISAGREED)
