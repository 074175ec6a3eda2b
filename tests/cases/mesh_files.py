"""A small mesh of files for cases: a client, echo in two versions, a host outside."""

from __future__ import annotations

import textwrap
from pathlib import Path

from meshproof.cases.case import Case
from meshproof.cases.planned_mesh import Planner
from meshproof.cases.reader import read_case_text
from meshproof.cases.results import CaseResult
from meshproof.cases.run import StaticRun, run_static
from meshproof.errors import Problem
from meshproof.mesh import Source
from meshproof.project import Project
from tests.explain.mesh_files import SUBSETS, workloads

MANIFESTS = workloads(client=1, other=1, echo_v1=1, echo_v2=1)
HTTP = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo, namespace: shop}
spec:
  hosts: [echo]
  http:
"""


def rule(*routes: str) -> str:
    """echo's subsets and a VirtualService with these routes."""
    return SUBSETS + HTTP + "".join(f"    - {route}\n" for route in routes)


TO_V1 = "{route: [{destination: {host: echo, subset: v1}}]}"
TO_V2 = "{route: [{destination: {host: echo, subset: v2}}]}"
SPLIT = (
    "{route: [{destination: {host: echo, subset: v1}, weight: 90}, "
    "{destination: {host: echo, subset: v2}, weight: 10}]}"
)
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: echo, namespace: shop}
spec:
  selector: {matchLabels: {app: echo}}
  rules:
    - from: [{source: {principals: [cluster.local/ns/shop/sa/client]}}]
      to: [{operation: {methods: [GET], paths: [/ok]}}]
"""


def planner(rules: str = "", manifests: str = MANIFESTS) -> Planner:
    """``rules`` are files of the mesh, as of -f."""
    sources = [Source("mesh.yaml", manifests)] + ([Source("rules.yaml", rules)] if rules else [])
    return Planner(Project(Path()), sources)


def read(text: str, **parameters: object) -> tuple[list[Case], list[Problem]]:
    problems: list[Problem] = []
    cases = read_case_text(textwrap.dedent(text), Path("echo_test.yaml"), parameters, problems)
    return cases, problems


def case(expect: str, request: str = "{from: client, url: 'http://echo/'}") -> str:
    return f"cases: [{{name: one, request: {request}, expect: {expect}}}]"


def run(text: str, rules: str = "") -> StaticRun:
    cases, problems = read(text)
    assert problems == []
    return run_static(cases, planner(rules))


def judge(
    expect: str, rules: str, request: str = "{from: client, url: 'http://echo/'}"
) -> CaseResult:
    """The result of one case."""
    (result,) = run(case(expect, request), rules).results
    return result


def lines(
    expect: str, rules: str, request: str = "{from: client, url: 'http://echo/'}"
) -> list[str]:
    """What is not as one case expects."""
    return judge(expect, rules, request).lines
