"""Judges cases on a running mesh: applies their rules, sends requests, and reads the evidence."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from meshproof.cases.case import Case, RuleSet
from meshproof.cases.evidence import Evidence, observe
from meshproof.cases.facts import Facts
from meshproof.cases.live_judge import judge_live, requests_needed
from meshproof.cases.model import Expect
from meshproof.cases.planned_mesh import Planner
from meshproof.cases.results import CaseResult, LiveResult
from meshproof.cases.tokens import authorization
from meshproof.mesh import Mesh
from meshproof.mesh_factory import make_mesh
from meshproof.project import Project
from meshproof.traffic.calls import Call, send

MakeMesh = Callable[[Project], Mesh]
_HIDDEN = "https of workloads is judged by files alone: a sidecar passes it on as bytes"
Manifests = tuple[Path, ...] | None


def run_live(
    results: Sequence[CaseResult], planner: Planner, make: MakeMesh | None = None
) -> list[CaseResult]:
    """The results with what a running mesh shows of each. Where evidence can show no field that a
    case names, it still shows whether the mesh does what the files say.

    One mesh for each set of manifests, of the kind that ``MESH`` names. Raises MeshproofError where
    it does not start, or refuses the rules.
    """
    done: dict[int, CaseResult] = {}
    indexed = [(i, r) for i, r in enumerate(results) if isinstance(r.case.expect, Expect)]

    def manifests(item: tuple[int, CaseResult]) -> str:
        return repr(item[1].case.rules.manifests)

    for _, group in itertools.groupby(sorted(indexed, key=manifests), manifests):
        items = list(group)
        with _running(items[0][1].case.rules.manifests, planner, make or _make) as mesh:
            done |= dict(_judge_group(items, planner, mesh))
    return [done.get(i, r) for i, r in enumerate(results)]


def _make(project: Project) -> Mesh:
    return make_mesh(os.environ.get("MESH", "embedded"), project, f"test-{uuid.uuid4().hex[:6]}")


@contextmanager
def _running(manifests: Manifests, planner: Planner, make: MakeMesh) -> Iterator[Mesh]:
    project = planner.project
    if manifests is not None:
        project = replace(project, manifests=manifests)
    mesh = make(project)
    try:
        mesh.up()
        yield mesh
    finally:
        mesh.down()


def _judge_group(
    items: Sequence[tuple[int, CaseResult]], planner: Planner, mesh: Mesh
) -> Iterator[tuple[int, CaseResult]]:
    """One set of rules after the other, each on a mesh as it came up."""

    def rules(item: tuple[int, CaseResult]) -> str:
        return repr(item[1].case.rules)

    for _, group in itertools.groupby(sorted(items, key=rules), rules):
        same = list(group)
        _apply(same[0][1].case.rules, planner, mesh)
        for index, result in same:
            if _is_hidden(result.case, planner):
                yield index, replace(result, warnings=(*result.warnings, _HIDDEN))
            else:
                yield index, replace(result, live=_judge(result.case, planner, mesh))


def _is_hidden(case: Case, planner: Planner) -> bool:
    """Whether no access log has it, since its sender's app speaks TLS itself: the verdict of the
    files stays."""
    request = case.request
    is_https = request.url.startswith("https:")
    return is_https and request.sender not in planner.plan(case.rules).gateways


def _apply(rules: RuleSet, planner: Planner, mesh: Mesh) -> None:
    mesh.reset()
    if planner.inputs:
        mesh.apply(list(planner.inputs), namespace=planner.namespace)
    if rules.files:
        mesh.apply(list(rules.files), namespace=rules.namespace)


def _judge(case: Case, planner: Planner, mesh: Mesh) -> LiveResult:
    assert isinstance(case.expect, Expect)
    request = case.request
    headers = dict([*request.headers, *authorization(request.token)])
    call = Call(request.sender, request.url, request.method, headers)
    n, run_id = requests_needed(case.expect), uuid.uuid4().hex
    replicas = mesh.status().replicas  # whose addresses answer from now on
    answers = send(mesh, call, n, run_id)
    planned = planner.plan(case.rules)
    facts = Facts(planned.explain(request), planned, request.sender)
    log = tuple(mesh.access_log(run_id))
    evidence = Evidence(call, tuple(answers), log, replicas, facts.rewritten_hosts)
    return judge_live(case.expect, observe(evidence), n, facts)
