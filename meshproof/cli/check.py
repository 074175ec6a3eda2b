"""``meshproof check``: errors, warnings and hints about files, without a mesh."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.cli.findings import Finding
from meshproof.inputs import Source

if TYPE_CHECKING:
    from meshproof.admission.admission import Admission
    from meshproof.admission.store import Store
    from meshproof.errors import Problem
    from meshproof.model.resource import Resource


@dataclass
class CheckResult:
    """How many resources were read, and what was found."""

    resources: int = 0
    ignored: list[str] = field(default_factory=list)
    """Titles of resources whose kind has no effect on the embedded mesh."""
    findings: list[Finding] = field(default_factory=list)

    def count(self, resources: Sequence[Resource]) -> None:
        from meshproof.model.kinds_without_model import (  # noqa: PLC0415  (slow to import)
            explain_ignored,
        )

        self.resources += len(resources)
        self.ignored += [r.title for r in resources if explain_ignored(r.kind, r.api_version)]

    def add(self, problems: Sequence[Problem], level: str) -> None:
        self.findings += [Finding(problem, level) for problem in problems]


def check_alone(result: CheckResult, sources: Iterable[tuple[str, str]], namespace: str) -> None:
    """Check sources, or pairs of file name and YAML, without a project: what they refer to may
    be elsewhere, so nothing is linted but what Istio itself warns of. Raises Refused."""
    from meshproof.istio04.kinds import any_of_istio04  # noqa: PLC0415  (slow to import)
    from meshproof.lint.istio_warnings import ID, warnings_of  # noqa: PLC0415
    from meshproof.model.reader import read_resources  # noqa: PLC0415

    resources = read_resources((Source(*source) for source in sources), namespace=namespace)
    if any_of_istio04(resources):
        from meshproof.istio04.lower import lower  # noqa: PLC0415  (the translator: slowest)

        lower(resources, [])
    result.count(resources)
    result.add([replace(p, rule=ID) for p in warnings_of(resources)], "warning")


def check_in_project(
    result: CheckResult, path: Path, files: list[str], namespace: str, strict: bool
) -> None:
    """Check files on top of a project's manifests; without any, the project's own manifests and
    rules. Raises Refused where ``apply`` would."""
    from meshproof.embedded.admission.profile import embedded_admission  # noqa: PLC0415  (slow)
    from meshproof.embedded.pod_mode import plans_pods  # noqa: PLC0415
    from meshproof.project import load_project  # noqa: PLC0415

    project = replace(load_project(path), pods=plans_pods(os.environ))
    admission = embedded_admission(project)
    of_manifests = CheckResult()
    manifests = admission.read(project.manifests)
    store = _apply(of_manifests, admission, admission.new_store(), manifests, strict)
    if files:
        resources = admission.read(files, stdin=sys.stdin.buffer, namespace=namespace)
        _apply(result, admission, store, resources, strict)
        return
    result.resources, result.findings = of_manifests.resources, of_manifests.findings
    result.ignored = of_manifests.ignored
    _check_rules(result, admission, store, project.rules, strict)


def _check_rules(
    result: CheckResult, admission: Admission, store: Store, rules: Iterable[Path], strict: bool
) -> None:
    """One file at a time: they are alternatives, each with all that it needs."""
    from meshproof.errors import Refused  # noqa: PLC0415  (slow to import)

    problems: list[Problem] = []
    for rule in rules:
        try:
            _apply(result, admission, store, admission.read([rule]), strict)
        except Refused as refused:  # the problems of the others are reported too
            problems += refused.problems
    if problems:
        raise Refused(problems)


def _apply(
    result: CheckResult,
    admission: Admission,
    store: Store,
    resources: Sequence[Resource],
    strict: bool,
) -> Store:
    admitted = admission.apply(store, resources, strict=strict)
    result.count(resources)
    result.add(admitted.warnings, "warning")
    result.add(admission.hints(admitted.store, resources), "note")
    return admitted.store


# Runners of other projects' test inputs call the check of single files by these names.
_Checked, _alone, _in_project = CheckResult, check_alone, check_in_project
