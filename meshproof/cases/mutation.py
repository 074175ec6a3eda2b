"""Mutation coverage: alters rules one field at a time, and sees whether a case notices."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from meshproof.cases.case import Case, RouteExpectation, RuleSet
from meshproof.cases.mutants import Mutant, mutants
from meshproof.cases.planned_mesh import PlannedMesh, Planner, is_rule, plan_mesh
from meshproof.cases.results import CaseResult, MutationResult, Outcome, Survivor
from meshproof.cases.run import judge_case
from meshproof.cases.validator_judge import ValidatorMesh, judge_route
from meshproof.cases.validator_mesh import plan_validator_mesh
from meshproof.errors import MeshproofError
from meshproof.explain import Fleet
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource


@dataclass(slots=True)
class _Tally:
    noticed: int = 0
    refused: int = 0
    equivalent: int = 0
    survivors: list[Survivor] = field(default_factory=list)


def run_mutation(results: Sequence[CaseResult], planner: Planner) -> MutationResult:
    """Judges cases that passed again, on each mutant of the rules that they are about."""
    groups: dict[RuleSet | None, list[Case]] = {}
    for result in results:
        if result.outcome is Outcome.PASSED:
            validator = isinstance(result.case.expect, RouteExpectation)
            groups.setdefault(None if validator else result.case.rules, []).append(result.case)
    tally = _Tally()
    for rules, cases in groups.items():
        _run_group(tally, rules, cases, planner)
    return MutationResult(tally.noticed, tuple(tally.survivors), tally.refused, tally.equivalent)


def _run_group(
    tally: _Tally, rules: RuleSet | None, cases: Sequence[Case], planner: Planner
) -> None:
    on_top = planner.rules(rules) if rules is not None else []
    base = planner.base(rules.manifests if rules is not None else None)
    under_test = [r for r in (on_top or base) if is_rule(r)]
    subsets = sorted({s for r in [*base, *on_top] for s in _subsets(r)})
    original = plan_mesh(planner.project, base, on_top)

    def plan(altered: Resource) -> PlannedMesh | ValidatorMesh:
        new_base, new_top = (_with(part, altered) for part in (base, on_top))
        if rules is None:
            return plan_validator_mesh(planner.project, new_base)
        return plan_mesh(planner.project, new_base, new_top)

    for rule in under_test:
        for mutant in mutants(rule, subsets):
            _judge_mutant(tally, mutant, cases, plan, original)


def _judge_mutant(
    tally: _Tally,
    mutant: Mutant,
    cases: Sequence[Case],
    plan: Callable[[Resource], PlannedMesh | ValidatorMesh],
    original: PlannedMesh,
) -> None:
    try:
        mesh = plan(_read(mutant))
        planned = mesh.merged if isinstance(mesh, ValidatorMesh) else mesh
        _ = planned.fleet
    except MeshproofError:
        tally.refused += 1
        return
    if any(_notices(case, mesh) for case in cases):
        tally.noticed += 1
    elif _same(planned.fleet, original.fleet):
        tally.equivalent += 1
    else:
        rule = mutant.rule
        tally.survivors.append(
            Survivor(rule.title, mutant.field, mutant.change, rule.location.file, mutant.line)
        )


def _read(mutant: Mutant) -> Resource:
    rule = read_text(json.dumps(mutant.manifest), mutant.rule.location.file)[0]
    return replace(rule, namespace=mutant.rule.namespace)


def _with(resources: Iterable[Resource], altered: Resource) -> list[Resource]:
    return [altered if r.key == altered.key else r for r in resources]


def _notices(case: Case, mesh: PlannedMesh | ValidatorMesh) -> bool:
    """Whether the case fails on this mesh; a name that is gone is noticed as well."""
    try:
        if isinstance(mesh, ValidatorMesh):
            assert isinstance(case.expect, RouteExpectation)
            return bool(judge_route(case.expect, case.request, mesh).mismatches)
        return bool(judge_case(case, mesh)[1])
    except MeshproofError:
        return True


def _same(one: Fleet, other: Fleet) -> bool:
    """Whether every Envoy would be given the same configuration."""
    if len(one.proxies) != len(other.proxies):
        return False
    return all(
        first.name == second.name
        and dict(first.clusters) == dict(second.clusters)
        and dict(first.endpoints) == dict(second.endpoints)
        and dict(first.listeners) == dict(second.listeners)
        and dict(first.routes) == dict(second.routes)
        for first, second in zip(one.proxies, other.proxies, strict=True)
    )


def _subsets(rule: Resource) -> Iterator[str]:
    spec = rule.body.get("spec")
    entries = spec.get("subsets") if isinstance(spec, dict) else None
    if rule.kind == "DestinationRule" and isinstance(entries, list):
        yield from (e["name"] for e in entries if isinstance(e, dict) and "name" in e)
