"""``check``: what a mesh would say of files, without one."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.findings import Finding, as_github, as_json, as_sarif
from meshproof.cli.options import Namespace, Strict
from meshproof.cli.output import print_message, show_json
from meshproof.mesh import Source
from meshproof.project_path import PROJECT_FILE, find_project, project_path
from meshproof.sources.sources import read_sources

if TYPE_CHECKING:
    from meshproof.admission.admission import Admission
    from meshproof.admission.store import Store
    from meshproof.errors import Problem
    from meshproof.model.resource import Resource

ALONE = f"; no {PROJECT_FILE} is here, so that hosts and subsets were not looked up"


class Form(enum.StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


@dataclass
class _Checked:
    """How many resources were read, and what was found."""

    resources: int = 0
    passed_over: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def count(self, resources: Sequence[Resource]) -> None:
        from meshproof.model.kinds import explain_ignored  # noqa: PLC0415  (slow to import)

        self.resources += len(resources)
        self.passed_over += [r.title for r in resources if explain_ignored(r.kind, r.api_version)]

    def add(self, problems: Sequence[Problem], level: str) -> None:
        self.findings += [Finding(problem, level) for problem in problems]


@app.command()
def check(
    *,
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE", help="As -f.")] = None,
    filename: Annotated[
        list[str] | None,
        typer.Option("-f", "--filename", help="As for apply; without it, the project's own."),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option("--project", help=f"What the files are added to; ./{PROJECT_FILE} if there."),
    ] = None,
    namespace: Namespace = "",
    strict: Strict = False,
    output: Annotated[
        Form, typer.Option("-o", "--output", help="sarif: for code scanning; github: annotations.")
    ] = Form.TEXT,
) -> None:
    """Validate files without a mesh: exit 2 where `apply` would refuse them.

    With a project file the files are checked on top of its manifests, so that what they refer to
    is known; without one, each for itself, and nothing is said of hosts that stand elsewhere.
    docs/checks.md lists what is found.
    """
    from meshproof.errors import Refused, UsageError  # noqa: PLC0415

    filename = [*(filename or []), *(files or [])]
    path = project_path(project) if project else find_project()
    if path is None and not filename:
        raise UsageError(f"check: no -f, and no {PROJECT_FILE} here; wanted one of them")
    checked = _Checked()
    try:
        if path is None:
            _alone(checked, read_sources(filename, stdin=sys.stdin.buffer), namespace)
        else:
            _in_project(checked, path, filename, namespace, strict)
    except Refused as refused:
        if output is Form.TEXT:
            _say(checked)
            raise
        checked.add(refused.problems, "error")
    _report(checked, output, "" if path else ALONE)


def _in_project(
    checked: _Checked, path: Path, filename: list[str] | None, namespace: str, strict: bool
) -> None:
    from meshproof.embedded.admission.profile import embedded_admission  # noqa: PLC0415  (slow)
    from meshproof.errors import Refused  # noqa: PLC0415
    from meshproof.project import load_project  # noqa: PLC0415

    project = load_project(path)
    admission = embedded_admission(project)
    base = _Checked()
    manifests = admission.read(project.manifests)
    start = _apply(base, admission, admission.new_store(), manifests, strict)
    if filename:
        added = admission.read(filename, stdin=sys.stdin.buffer, namespace=namespace)
        _apply(checked, admission, start, added, strict)
        return
    checked.resources, checked.findings = base.resources, base.findings
    checked.passed_over = base.passed_over
    problems: list[Problem] = []
    for rule in project.rules:  # one at a time: they are alternatives, each its file's whole effect
        try:
            _apply(checked, admission, start, admission.read([rule]), strict)
        except Refused as refused:  # the problems of the others are reported too
            problems += refused.problems
    if problems:
        raise Refused(problems)


def _apply(
    checked: _Checked,
    admission: Admission,
    store: Store,
    resources: Sequence[Resource],
    strict: bool,
) -> Store:
    admitted = admission.apply(store, resources, strict=strict)
    checked.count(resources)
    checked.add(admitted.warnings, "warning")
    checked.add(admission.hints(admitted.store, resources), "note")
    return admitted.store


def _alone(checked: _Checked, sources: Iterable[tuple[str, str]], namespace: str) -> None:
    from meshproof.istio04.lower import lower  # noqa: PLC0415
    from meshproof.model.reader import read_resources  # noqa: PLC0415

    resources = read_resources((Source(*one) for one in sources), namespace=namespace)
    lower(resources, [])
    checked.count(resources)


def _report(checked: _Checked, output: Form, alone: str) -> None:
    """Print it, and end with 2 where something is refused."""
    refused = any(finding.level == "error" for finding in checked.findings)
    if output is Form.JSON:
        show_json(as_json(checked.resources, checked.findings))
    elif output is Form.SARIF:
        import importlib.metadata  # noqa: PLC0415  (18 ms that no other form needs)

        from meshproof.lint.rules import all_rules  # noqa: PLC0415

        rules = {rule.id: rule.finds for rule in all_rules()}
        version = importlib.metadata.version("meshproof")
        show_json(as_sarif(checked.findings, rules, version, Path.cwd()))
    elif output is Form.GITHUB:
        for line in as_github(checked.findings):
            print(line)
    else:
        _say(checked)
        print(_conclusion(checked) + alone)
    if refused:
        sys.exit(2)


def _conclusion(checked: _Checked) -> str:
    """One line, which calls nothing fine that is warned of, and names what has no effect."""
    n, warned = checked.resources, sum(one.level == "warning" for one in checked.findings)
    what = "1 resource" if n == 1 else f"{n} resources"
    if warned:
        said = (
            f"{what} would be applied; {warned} warning{'s' * (warned > 1)} (refused by --strict)"
        )
    else:
        said = f"{what} {'is' if n == 1 else 'are'} fine"
    left = checked.passed_over
    return f"{said}; without effect here: {', '.join(left)}" if left else said


def _say(checked: _Checked) -> None:
    for finding in checked.findings:
        level = "hint" if finding.level == "note" else finding.level
        print_message(f"{level}: {finding.problem} [{finding.rule}]")
