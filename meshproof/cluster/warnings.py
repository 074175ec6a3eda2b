"""What is valid but dangling or shadowed: the same checks as on the embedded mesh.

They read typed rules. A document whose fields only a cluster honours cannot be read so; it is left
out of the checks, and with it whatever could be said about it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from meshproof.cluster.manifests import Manifest
from meshproof.errors import Problem, Refused
from meshproof.istio04.lower import lower
from meshproof.istio04.warnings import find_istio04_warnings
from meshproof.lint.linter import find_warnings
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from meshproof.translate.from_kube import services_of


def warnings(items: Sequence[Manifest], concerned: Sequence[Manifest]) -> list[Problem]:
    """For all that is applied, those that are about ``concerned`` documents or their files."""
    resources = [r for item in items for r in _typed(item)]
    services = services_of(resources)
    workloads = [
        (r.namespace, dict(r.spec.template.metadata.labels))
        for r in resources
        if r.kind == "Deployment"
    ]
    titles = {i.title for i in concerned}
    found = [
        *find_istio04_warnings(resources, services),
        *find_warnings(lower(resources, services), services, workloads),
    ]
    lines = {i.title: (i.file, i.line) for i in concerned}
    return [_placed(p, lines) for p in found if p.resource in titles]


def _typed(item: Manifest) -> list[Resource]:
    if item.rule is not None:
        return [item.rule]
    try:
        return read_text(json.dumps(item.body), item.file, namespace=item.namespace)
    except Refused:
        return []


def _placed(problem: Problem, lines: dict[str, tuple[str, int]]) -> Problem:
    """The line in the user's file; lines of the JSON that was checked mean nothing."""
    file, line = lines[problem.resource]
    return Problem(
        file=file,
        line=line if problem.line <= 1 else problem.line,
        resource=problem.resource,
        field=problem.field,
        found=problem.found,
        wanted=problem.wanted,
        remedy=problem.remedy,
    )
