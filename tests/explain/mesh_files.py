"""A mesh of files for tests: workloads, rules, and the explanation of one request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.admission.store import Store
from meshproof.embedded import explain_adapter
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.explain import Explanation
from meshproof.explain.question import Question
from meshproof.explain.result import Outcome, Step
from meshproof.model.reader import read_text
from meshproof.project import ImageCommand, OutsideHost, Project

PROJECT = Project(
    Path(),
    images={"app:1": ImageCommand(command=["true", "--bind", "{ip}:{port}"])},
    outside={
        "bank.test": OutsideHost.model_validate(
            {"ports": {80: 18080, 443: 18443}, "aliases": ["pay.test"]}
        )
    },
)
APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {app}, version: {version}}}}}
  template:
    metadata: {{labels: {{app: {app}, version: {version}}}}}
    spec:
      serviceAccountName: {app}
      containers: [{{name: app, image: "app:1", ports: [{{name: http, containerPort: 8080}}]}}]
---
"""
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: shop}
spec:
  selector: {app: echo}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 9000, targetPort: 9000}]
---
"""


def workloads(**replicas: int) -> str:
    """Deployments by name: ``echo_v1=2`` is echo's version v1."""
    result = ""
    for name, number in replicas.items():
        app, _, version = name.partition("_")
        named = name.replace("_", "-")
        result += APP.format(name=named, replicas=number, app=app, version=version or "v1")
    return SERVICES + result


def explain_request(
    rules: str,
    url: str,
    source: str = "client",
    *,
    method: str = "GET",
    headers: Sequence[tuple[str, str]] = (),
    text: str = workloads(client=1, echo_v1=1, echo_v2=1),
    pods: bool = False,
) -> Explanation:
    project = replace(PROJECT, pods=pods)
    admitted = embedded_admission(project).apply(
        Store(), read_text(text + rules, "rules.yaml"), strict=False
    )
    request = Question(source, url, method, headers)
    return explain_adapter.explain_files(admitted.store, project, request)


SUBSETS = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo, namespace: shop}
spec:
  host: echo
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
"""
RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo, namespace: shop}
spec:
  hosts: [echo]
  http:
"""


def http(routes: str) -> str:
    return SUBSETS + RULE + "".join(f"    - {line}\n" for line in routes.strip().splitlines())


def responders(explanation: Explanation) -> dict[str, float]:
    result: dict[str, float] = {}
    for chance, outcome in explanation.outcomes():
        result[outcome.responder] = result.get(outcome.responder, 0.0) + round(100 * chance, 6)
    return result


def only_outcome(explanation: Explanation) -> Outcome:
    ((chance, outcome),) = explanation.outcomes()
    assert chance == pytest.approx(1)
    return outcome


def notes(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        yield from step.notes
        yield from notes(step.branches)
