"""Judges cases on files alone: plans the mesh of each set of rules, and asks it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from meshproof.cases import coverage
from meshproof.cases.case import Case, RouteExpectation, RuleSet
from meshproof.cases.contradictions import find_contradictions
from meshproof.cases.facts import Facts
from meshproof.cases.judge import judge
from meshproof.cases.mismatch import Mismatch
from meshproof.cases.model import Expect
from meshproof.cases.names import find_unknown_names
from meshproof.cases.planned_mesh import PlannedMesh, Planner
from meshproof.cases.results import CaseResult, Report
from meshproof.cases.validator_judge import ValidatorMesh, judge_route
from meshproof.cases.validator_mesh import plan_validator_mesh
from meshproof.errors import Problem, Refused, UsageError
from meshproof.explain.origin import RuleOrigin
from meshproof.model.resource import Resource


@dataclass(slots=True)
class StaticRun:
    """The results, what the cases visited, and the rules that they are about."""

    results: list[CaseResult] = field(default_factory=list)
    visited: set[RuleOrigin] = field(default_factory=set)
    rules: dict[tuple[str, str, int], Resource] = field(default_factory=dict)
    """By title and place."""

    def add(self, case: Case, mesh: PlannedMesh | ValidatorMesh) -> None:
        """Judge one more case. Raises Refused for a request that cannot be sent."""
        started = time.perf_counter()
        warnings: list[str] = []
        try:
            if isinstance(case.expect, RouteExpectation):
                assert isinstance(mesh, ValidatorMesh)
                route = judge_route(case.expect, case.request, mesh)
                mismatches, warnings = route.mismatches, route.warnings
                self.visited.update(route.visited)
            else:
                assert isinstance(mesh, PlannedMesh)
                facts, mismatches = judge_case(case, mesh)
                self.visited |= facts.visited
        except UsageError as error:
            raise Refused([case.place.problem(("request",), str(error), "", "")]) from None
        seconds = time.perf_counter() - started
        self.results.append(CaseResult(case, tuple(mismatches), seconds, warnings=tuple(warnings)))

    def report(self, seconds: float) -> Report:
        return Report(
            self.results, coverage.measure(self.rules.values(), self.visited), None, seconds
        )


def run_static(cases: Sequence[Case], planner: Planner) -> StaticRun:
    """Raises Refused for rules that are refused, for names that nothing has, and for cases that
    contradict each other: then nothing was judged."""
    problems = list(find_contradictions(cases))
    meshes = plan_all(cases, planner, problems)
    for case in cases:
        mesh = meshes.get(_key(case))
        if isinstance(mesh, PlannedMesh):
            problems += find_unknown_names(case, mesh)
    if problems:
        raise Refused(_unique(problems))
    run = StaticRun()
    for mesh in meshes.values():
        rules = mesh.rules if isinstance(mesh, PlannedMesh) else mesh.merged.rules
        run.rules.update({(r.title, r.location.file, r.location.line): r for r in rules})
    for case in cases:
        run.add(case, meshes[_key(case)])
    return run


def judge_case(case: Case, mesh: PlannedMesh) -> tuple[Facts, list[Mismatch]]:
    """What the files say of a case. Raises UsageError for a request that cannot be sent."""
    assert isinstance(case.expect, Expect)
    facts = Facts(mesh.explain(case.request), mesh, case.request.sender)
    return facts, judge(case.expect, facts)


Key = RuleSet | None
"""A set of rules; None for cases of istio-config-validator."""


def plan_all(
    cases: Iterable[Case], planner: Planner, problems: list[Problem]
) -> dict[Key, PlannedMesh | ValidatorMesh]:
    """The mesh of each set of rules; more problems for those that are refused."""
    meshes: dict[Key, PlannedMesh | ValidatorMesh] = {}
    for key in dict.fromkeys(map(_key, cases)):
        try:
            if key is None:
                meshes[key] = plan_validator_mesh(planner.project, planner.base())
            else:
                mesh = meshes[key] = planner.plan(key)
                _ = mesh.fleet  # translates: what cannot run is refused here
        except Refused as error:
            problems += error.problems
    return meshes


def _key(case: Case) -> Key:
    return None if isinstance(case.expect, RouteExpectation) else case.rules


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    return list({str(p): p for p in problems}.values())
