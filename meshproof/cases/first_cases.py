"""Writes first cases for rules that are there: each route and each policy once.

Each case expects what the rules do today, by ``explain``: a reader decides whether that is right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshproof.cases import coverage
from meshproof.cases.case import CaseRequest, RuleSet
from meshproof.cases.facts import Facts, responder_of
from meshproof.cases.first_requests import candidates, choose
from meshproof.cases.planned_mesh import PlannedMesh, Planner
from meshproof.cases.results import RuleUnit
from meshproof.errors import Refused, UsageError
from meshproof.project import Project

_FOLDERS = ("k8s", "manifests", "kubernetes", "deploy")
_HEADER = """\
# Written by `meshproof test init`: what the rules do today. Keep what is meant, change what is not,
# and say in a name why. docs/testing-without-python.md explains every field.
"""


@dataclass(frozen=True, slots=True)
class FirstCases:
    """A file that was written, how many cases it has, and the routes and policies without one."""

    path: Path
    cases: int
    missing: Sequence[RuleUnit]


def write_first_cases(
    project: Project, inputs: Sequence[str], namespace: str, folder: Path
) -> Iterator[FirstCases]:
    """Each file that was written.

    In a project, rules that can be applied together are one mesh, with ``rules_test.yaml`` in
    ``tests`` beside them; where they are alternatives, each file gets a file of its own. Rules that
    are among a project's manifests, and all inputs without a project, are one mesh, with
    ``mesh_test.yaml`` in ``folder``/tests. Raises UsageError where a file is there already, and
    where there is nothing to write a case for.
    """
    if project.manifests:
        if rules := [Path(i) for i in inputs] or list(project.rules):
            files = [f for r in rules for f in (sorted(r.glob("*.y*ml")) if r.is_dir() else [r])]
            yield from _write_in_project(Planner(project), files, namespace)
            return
        paths: list[str] = []
    else:
        paths = list(inputs) or [name for name in _FOLDERS if Path(name).is_dir()] or ["."]
    path = folder / "tests" / "mesh_test.yaml"
    mesh = Planner(project, paths, namespace).plan(RuleSet())
    manifests = [os.path.relpath(p, path.parent) for p in paths]
    head = {"manifests": manifests} if manifests else {}
    yield _write(path, mesh, {**head, "rules": []})


def _write_in_project(
    planner: Planner, files: Sequence[Path], namespace: str
) -> Iterator[FirstCases]:
    mesh = _plan_together(planner, RuleSet(tuple(files), namespace))
    if mesh is not None:
        path = files[0].parent / "tests" / "rules_test.yaml"
        names = [os.path.relpath(f, path.parent) for f in files]
        head = {"namespace": namespace} if namespace else {}
        yield _write(path, mesh, {"rules": names, **head})
        return
    count = 0
    for file in files:
        path = file.parent / "tests" / f"{file.stem}_test.yaml"
        mesh = planner.plan(RuleSet((file,), namespace))
        if any(True for _ in candidates(mesh)):
            count += 1
            yield _write(path, mesh, {})
    if not count:
        raise UsageError("test init: no route and no policy in these rules")


def _plan_together(planner: Planner, rules: RuleSet) -> PlannedMesh | None:
    """None for a single file, and for rules of which two have one name."""
    if len(rules.files) < 2:
        return None
    try:
        mesh = planner.plan(rules)
        _ = mesh.fleet
    except Refused:
        return None
    return mesh


def _write(path: Path, mesh: PlannedMesh, head: dict[str, Any]) -> FirstCases:
    import yaml  # noqa: PLC0415  (the writer is for this command alone)

    pairs = list(_cases_and_facts(mesh))
    cases = [case for case, _ in pairs]
    visited = {origin for _, facts in pairs for origin in facts.visited}
    missing = coverage.measure(mesh.rules, visited).unvisited
    if path.exists():
        raise UsageError(f"test init: {path} is there already, and is never written over")
    if not cases:
        raise UsageError(_describe_nothing(path, missing))
    path.parent.mkdir(parents=True, exist_ok=True)
    body = yaml.safe_dump({**head, "cases": cases}, sort_keys=False, allow_unicode=True, width=100)
    path.write_text(_HEADER + body, encoding="utf-8")
    return FirstCases(path, len(cases), missing)


def _describe_nothing(path: Path, missing: Sequence[RuleUnit]) -> str:
    if not missing:
        return f"test init: no route and no policy in these rules, so no case for {path}"
    places = "; ".join(map(str, missing))
    return f"test init: no case for {path}: no HTTP request was found that meets {places}"


def build_cases(mesh: PlannedMesh) -> list[dict[str, Any]]:
    """One case for each route and policy that a request can be thought of for."""
    return [case for case, _ in _cases_and_facts(mesh)]


def _cases_and_facts(mesh: PlannedMesh) -> Iterator[tuple[dict[str, Any], Facts]]:
    seen: set[CaseRequest] = set()
    for candidate in candidates(mesh):
        choice = choose(candidate, mesh)
        if choice is not None and choice[0] not in seen:
            request, facts = choice
            seen.add(request)
            yield _build_case(candidate.name, request, facts), facts


def _build_case(name: str, request: CaseRequest, facts: Facts) -> dict[str, Any]:
    sent: dict[str, Any] = {"from": request.sender, "url": request.url}
    if request.method != "GET":
        sent["method"] = request.method
    if request.headers:
        sent["headers"] = dict(request.headers)
    return {"name": name, "request": sent, "expect": _expect(facts)}


def _expect(facts: Facts) -> dict[str, Any]:
    outcomes = facts.outcomes
    responders = {responder_of(o) for _, o in outcomes}
    expect: dict[str, Any] = {}
    if len(responders) > 1 or len({o.responder for _, o in outcomes}) > 1:
        expect["split"] = _split(facts)
    elif (responder := next(iter(responders), None)) is None:
        expect |= _refusal(facts)
    elif responder.namespace:
        expect["workload"] = f"{responder.namespace}/{responder.name}"
        if responder.version:
            expect["version"] = responder.version
    else:
        expect["outside"] = responder.name
    if None not in responders and len(facts.timeouts) == 1 and facts.routes:
        (seconds,) = facts.timeouts
        if seconds:
            expect["timeout"] = f"{seconds:g}s"
    if facts.mirrors:
        expect["mirror"] = [
            {"workload": f"{r.namespace}/{r.name}", "percent": m.percent}
            for m in facts.mirrors
            for r in sorted(m.responders, key=str)[:1]
            if r.namespace
        ]
    return {k: v for k, v in expect.items() if v not in ([], {})} or {"allowed": True}


def _split(facts: Facts) -> dict[str, float]:
    shares: dict[str, float] = {}
    for chance, outcome in facts.outcomes:
        responder = responder_of(outcome)
        key = str(responder) if responder else str(outcome.status or 503)
        shares[key] = shares.get(key, 0.0) + 100 * chance
    return {key: round(share, 4) for key, share in shares.items()}


def _refusal(facts: Facts) -> dict[str, Any]:
    outcome = facts.outcomes[0][1]
    if outcome.location:
        return {"redirect": outcome.location}
    expect: dict[str, Any] = {"status": outcome.status} if outcome.status else {"allowed": False}
    if outcome.rule is not None and outcome.rule.kind == "AuthorizationPolicy":
        expect["refusedBy"] = outcome.rule.title
    return expect
