"""``test``: judge rules by cases in YAML, on files alone or on a running mesh."""

from __future__ import annotations

from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import Namespace, Pods, ProjectFile, choose_pods

INIT = "init"


@app.command("test")
def judge_rules(
    *,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[init] [FILE]...", help="Same as -f.", show_default=False),
    ] = None,
    cases: Annotated[
        list[str] | None,
        typer.Option(
            "-t", "--cases", help="Files or folders of cases; by default *_test.yaml below here."
        ),
    ] = None,
    filename: Annotated[
        list[str] | None,
        typer.Option(
            "-f", "--filename", help="Manifests or rules on top of the project's; - for stdin."
        ),
    ] = None,
    project: ProjectFile = None,
    namespace: Namespace = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Replaces a parameter of the cases."),
    ] = None,
    select: Annotated[
        str, typer.Option("-k", "--select", help="Only cases whose name contains this.")
    ] = "",
    output: Annotated[
        list[str] | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FORMAT[=FILE]",
            help="text, json, junit, sarif, github or html; several, each to its file.",
        ),
    ] = None,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Alter each field of the rules: do cases notice?")
    ] = False,
    min_mutation: Annotated[
        float, typer.Option("--min-mutation", help="Percent of altered fields to be noticed.")
    ] = 0.0,
    live: Annotated[
        bool, typer.Option("--live", help="Also start the mesh, send, and judge by evidence.")
    ] = False,
    pods: Pods = None,
    summary: Annotated[
        bool, typer.Option("-s", "--summary", help="Only the last line, unless a case fails.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Run again whenever a file changes.")
    ] = False,
) -> None:
    """Judge rules by cases in YAML (docs/testing-without-python.md): what becomes of a request.

    Without a mesh: the answer comes from the configuration that Envoys would be given. `test init`
    writes first cases. Exit code 0: every case passed. 1: a case failed, or files and the running
    mesh disagree, or fewer altered fields were noticed than --min-mutation asks for. 2: a file is
    refused, or there is no case; nothing was judged.
    """
    from meshproof.cli.case_run import CaseOptions, run, run_init, run_watch  # noqa: PLC0415 (slow)

    choose_pods(pods)
    inputs = [*(filename or []), *(files or [])]
    if files and files[0] == INIT:
        run_init([*(filename or []), *files[1:]], project, namespace, cases or [])
        return
    options = CaseOptions(
        inputs=inputs,
        cases=cases or [],
        project=project,
        namespace=namespace,
        parameters=parameter or [],
        select=select,
        outputs=output or ["text"],
        mutate=mutate or min_mutation > 0,
        min_mutation=min_mutation,
        live=live,
        summary=summary,
    )
    if watch:
        run_watch(options)
    raise typer.Exit(run(options))
