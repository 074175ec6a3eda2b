"""``check``: validate files without a mesh."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.check import CheckResult, check_alone, check_in_project
from meshproof.cli.findings import as_github, as_json, as_sarif
from meshproof.cli.options import Namespace, Pods, Strict, choose_pods
from meshproof.cli.output import print_message, show_json
from meshproof.project_path import PROJECT_FILE, find_project, project_path
from meshproof.sources.sources import read_sources

ALONE = f"; no {PROJECT_FILE} is here, so that hosts and subsets were not looked up"


class CheckFormat(enum.StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


@app.command()
def check(
    *,
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE", help="Same as -f.")] = None,
    filename: Annotated[
        list[str] | None,
        typer.Option("-f", "--filename", help="As for apply; by default the project's files."),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option("--project", help=f"Their project; by default ./{PROJECT_FILE}, if any."),
    ] = None,
    namespace: Namespace = "",
    strict: Strict = False,
    pods: Pods = None,
    output: Annotated[
        CheckFormat,
        typer.Option("-o", "--output", help="sarif: for code scanning; github: annotations."),
    ] = CheckFormat.TEXT,
) -> None:
    """Validate files without a mesh: exit 2 where `apply` would refuse them.

    With a project file, files are checked on top of its manifests, so that what they refer to is
    known. Without one, each is checked alone, and hosts that are declared elsewhere are not
    looked up. docs/checks.md lists every check.
    """
    from meshproof.errors import Refused, UsageError  # noqa: PLC0415

    choose_pods(pods)
    inputs = [*(filename or []), *(files or [])]
    path = project_path(project) if project else find_project()
    if path is None and not inputs:
        raise UsageError(f"check: no -f, and no {PROJECT_FILE} here; wanted one of them")
    result = CheckResult()
    try:
        if path is None:
            check_alone(result, read_sources(inputs, stdin=sys.stdin.buffer), namespace)
        else:
            check_in_project(result, path, inputs, namespace, strict)
    except Refused as refused:
        if output is CheckFormat.TEXT:
            _print_findings(result)
            raise
        result.add(refused.problems, "error")
    _report(result, output, "" if path else ALONE)


def _report(result: CheckResult, output: CheckFormat, alone: str) -> None:
    """Print it, and end with 2 where something is refused."""
    refused = any(finding.level == "error" for finding in result.findings)
    if output is CheckFormat.JSON:
        show_json(as_json(result.resources, result.findings))
    elif output is CheckFormat.SARIF:
        import importlib.metadata  # noqa: PLC0415  (18 ms that no other form needs)

        from meshproof.lint.rules import all_rules  # noqa: PLC0415

        rules = {rule.id: rule.finds for rule in all_rules()}
        version = importlib.metadata.version("meshproof")
        show_json(as_sarif(result.findings, rules, version, Path.cwd()))
    elif output is CheckFormat.GITHUB:
        for line in as_github(result.findings):
            print(line)
    else:
        _print_findings(result)
        print(_summarize(result) + alone)
    if refused:
        sys.exit(2)


def _summarize(result: CheckResult) -> str:
    """One line: fine or with warnings, and what has no effect."""
    n, warnings = result.resources, sum(f.level == "warning" for f in result.findings)
    what = "1 resource" if n == 1 else f"{n} resources"
    if warnings:
        plural = "s" if warnings > 1 else ""
        verdict = f"{what} would be applied; {warnings} warning{plural} (refused by --strict)"
    else:
        verdict = f"{what} {'is' if n == 1 else 'are'} fine"
    ignored = ", ".join(result.ignored)
    return f"{verdict}; without effect here: {ignored}" if ignored else verdict


def _print_findings(result: CheckResult) -> None:
    for finding in result.findings:
        level = "hint" if finding.level == "note" else finding.level
        print_message(f"{level}: {finding.problem} [{finding.rule}]")
