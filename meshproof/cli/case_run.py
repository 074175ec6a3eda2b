"""One run of ``meshproof test``: reads, judges, writes every report, and gives the exit code."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from meshproof import wait
from meshproof.cases.case import Case
from meshproof.cases.discovery import find_case_files, yaml_files
from meshproof.cases.planned_mesh import Planner
from meshproof.cases.reader import read_cases
from meshproof.cases.results import Report
from meshproof.cases.run import run_static
from meshproof.cli.case_reports import data, findings, junit, page, text
from meshproof.cli.findings import as_github, as_sarif
from meshproof.cli.output import Verbosity, format_error, print_info, print_message, verbosity
from meshproof.embedded.pod_mode import plans_pods, runs_pods
from meshproof.errors import Problem, Refused, UsageError
from meshproof.inputs import STDIN, Input, Source
from meshproof.project import Project, load_project
from meshproof.project_path import find_project, project_path
from meshproof.sources.scalars import plain
from meshproof.sources.sources import read_stdin

EXIT_FAILED, EXIT_REFUSED = 1, 2
FORMATS = ("text", "json", "junit", "sarif", "github", "html")


@dataclass(frozen=True, slots=True)
class CaseOptions:
    """The command line's, as they were written."""

    inputs: Sequence[str]
    cases: Sequence[str]
    project: Path | None
    namespace: str
    parameters: Sequence[str]
    select: str
    outputs: Sequence[str]
    mutate: bool
    min_mutation: float
    live: bool
    summary: bool


def run(options: CaseOptions) -> int:
    """Judge everything once, write the reports, and return the exit code."""
    reports = [_writer(text, options) for text in options.outputs]
    started = time.perf_counter()
    try:
        report = judge(options)
    except Refused as refused:
        report = Report((), problems=refused.problems)
    report = replace(report, seconds=time.perf_counter() - started)
    for write in reports:
        write(report)
    if report.problems:
        return EXIT_REFUSED
    share = report.mutation.share if report.mutation else None
    if share is not None and 100 * share < options.min_mutation:
        print_info(f"{100 * share:.0f} % noticed; wanted {options.min_mutation:g} %")
        return EXIT_FAILED
    return 0 if report.passed else EXIT_FAILED


def judge(options: CaseOptions) -> Report:
    """Raises Refused where nothing can be judged, and UsageError where there is no case."""
    planner, cases = read(options)
    static = run_static(cases, planner)
    report = replace(static.report(0.0), pods=planner.project.pods)
    if options.live:
        from meshproof.cases.live import run_live  # noqa: PLC0415  (imports a whole mesh)

        report = replace(report, results=run_live(static.results, planner))
    if options.mutate:
        from meshproof.cases.mutation import run_mutation  # noqa: PLC0415  (seldom asked for)

        report = replace(report, mutation=run_mutation(static.results, planner))
    return report


def read(options: CaseOptions) -> tuple[Planner, list[Case]]:
    """The planner of the meshes, and every selected case."""
    project = load_case_project(options.project, runs=options.live)
    if options.live and os.environ.get("MESH", "embedded") == "embedded":
        project = replace(project, pods=runs_pods(os.environ))
    problems: list[Problem] = []
    paths = find_case_files(options.cases, Path())
    parameters = parse_parameters(options.parameters)
    cases = read_cases(paths, parameters, problems)
    if problems:
        raise Refused(problems)
    _check_parameters(parameters, cases)
    selected = [c for c in cases if options.select in c.name]
    if not selected:
        where = ", ".join(options.cases) or "any *_test.yaml below here"
        which = f" whose name contains {options.select!r}" if options.select else ""
        raise UsageError(f"test: there is no case{which} in {where}; see `meshproof test init`")
    return Planner(project, read_inputs(options.inputs), options.namespace), selected


def load_case_project(path: Path | None, *, runs: bool = False) -> Project:
    """The project file's, or without one a project that declares nothing. Unless it ``runs``, what
    `meshproof init` left to do does not matter."""
    file = project_path(path) if path else find_project()
    project = load_project(file, runs=runs) if file else Project(Path.cwd())
    return replace(project, pods=plans_pods(os.environ))


def read_inputs(inputs: Sequence[str]) -> list[Input]:
    """With standard input as a text, so that it can be read more than once."""
    return [Source(STDIN, read_stdin(sys.stdin.buffer)) if i == "-" else i for i in inputs]


def parse_parameters(texts: Sequence[str]) -> dict[str, Any]:
    """``name=value``; a value is read as YAML reads it without quotes."""
    parameters: dict[str, Any] = {}
    for pair in texts:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise UsageError(f"--set {pair}: wanted NAME=VALUE")
        parameters[name] = plain(value)
    return parameters


def _check_parameters(parameters: Mapping[str, Any], cases: Sequence[Case]) -> None:
    known = {name for case in cases for name in case.parameters}
    for name in parameters:
        if name not in known:
            there = f"there is {', '.join(sorted(known))}" if known else "no case file has any"
            raise UsageError(f"--set {name}: no case file has a parameter {name}; {there}")


Writer = Callable[[Report], None]


def _writer(spec: str, options: CaseOptions) -> Writer:
    """Raises UsageError for a format that there is not."""
    name, equals, file = spec.partition("=")
    if name not in FORMATS or (equals and not file):
        raise UsageError(f"-o {spec}: wanted FORMAT or FORMAT=FILE, one of {', '.join(FORMATS)}")

    def write(report: Report) -> None:
        content = _render(name, report, options)
        if not file:
            print(content, end="" if content.endswith("\n") else "\n", flush=True)
            return
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(content, encoding="utf-8")

    return write


def _render(name: str, report: Report, options: CaseOptions) -> str:
    if name == "json":
        return json.dumps(data.as_dict(report), indent=2)
    if name == "junit":
        return junit.render(report)
    if name == "html":
        return page.render(report)
    if name == "github":
        return "\n".join(as_github(findings.findings(report)))
    if name == "sarif":
        version = importlib.metadata.version("meshproof")
        log = as_sarif(findings.findings(report), findings.RULES, version, Path.cwd())
        return json.dumps(log, indent=2)
    verbose = verbosity() is Verbosity.VERBOSE
    every = verbose or not (options.summary or verbosity() is Verbosity.QUIET)
    return text.render(report, every=every, all_units=verbose)


def run_watch(options: CaseOptions) -> NoReturn:
    """Run, and again whenever a file that was read, or may be, changes; until Ctrl-C."""
    while True:
        before = _snapshot(options)
        try:
            run(options)
        except UsageError as error:
            print_message(format_error(error))
        print_info("waiting for a change (Ctrl-C ends)")
        wait.until(
            lambda known=before: "" if _snapshot(options) != known else "nothing changed",  # type: ignore[misc]
            "a change of a file",
            within=math.inf,
            every=0.3,
        )


def _snapshot(options: CaseOptions) -> dict[Path, float]:
    """When each YAML file that a run may read was changed."""
    folders = [Path(), *(Path(p) for p in (*options.cases, *options.inputs) if p != "-")]
    paths = {f for folder in folders for f in yaml_files(folder)}
    return {path: path.stat().st_mtime for path in paths if path.exists()}


def run_init(
    inputs: Sequence[str], project: Path | None, namespace: str, cases: Sequence[str]
) -> None:
    """Write first cases for the rules that are there; never over a file."""
    from meshproof.cases.first_cases import write_first_cases  # noqa: PLC0415  (only for init)

    loaded = load_case_project(project)
    folder = Path(cases[0]) if cases else Path()
    for file in write_first_cases(loaded, inputs, namespace, folder):
        print(f"{file.path} written; {file.cases} case{'' if file.cases == 1 else 's'}")
        for unit in file.missing:
            print_info(f"no case for {unit}: no HTTP request was found that meets it")
