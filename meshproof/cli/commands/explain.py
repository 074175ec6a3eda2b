"""``explain``: what would happen to a request, and why, without sending it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.headers import parse_header
from meshproof.cli.options import (
    DEFAULT_NAME,
    Format,
    Name,
    Namespace,
    Output,
    Pods,
    choose_pods,
    client,
)
from meshproof.cli.output import show_json
from meshproof.errors import UsageError
from meshproof.project_path import PROJECT_FILE

EXIT_MESH, EXIT_CHANCE = 3, 4
"""Exit codes: the mesh answers every such request itself, or some of them."""


@app.command()
def explain(
    url: Annotated[str, typer.Argument(show_default=False)],
    *,
    source: Annotated[str, typer.Option("--from", metavar="WORKLOAD|gateway", help="The sender.")],
    method: Annotated[str, typer.Option("-X", "--request", help="HTTP method.")] = "GET",
    header: Annotated[list[str], typer.Option("-H", "--header", help="'Name: value'.")] = [],  # noqa: B006  (typer copies it)
    filename: Annotated[
        list[str] | None,
        typer.Option(
            "-f",
            "--filename",
            help="Without a mesh: manifests and rules, on top of the project's if there is one.",
        ),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            help=f"Without a mesh: the project file; with -f, by default ./{PROJECT_FILE}.",
        ),
    ] = None,
    namespace: Namespace = "",
    pods: Pods = None,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Show which rules and routes decide what happens to a request, and with what probability.

    Nothing is sent: the answer comes from the configuration of the Envoys. Exit code 0 if an app
    (or an outside host) answers, 3 if the mesh itself does, 4 if it depends on chance.
    """
    headers = [parse_header("explain", text) for text in header]
    if filename or project:
        choose_pods(pods)
        explanation = _explain_files(
            filename or [], project, namespace, (source, url, method, headers)
        )
    elif pods is not None:
        raise UsageError(
            "explain: --pods and --no-pods are for files (-f, --project): a running mesh knows"
        )
    else:
        explanation = client(name).explain(source, url, method, headers)
    if output is Format.JSON:
        show_json(explanation)
    else:
        from meshproof.explain.render import render_text  # noqa: PLC0415

        print(render_text(explanation), flush=True)
    if explanation["answered"] < 100:
        raise typer.Exit(EXIT_CHANCE if explanation["answered"] > 0 else EXIT_MESH)


def _explain_files(
    files: list[str],
    project: Path | None,
    namespace: str,
    request: tuple[str, str, str, list[tuple[str, str]]],
) -> dict[str, Any]:
    from meshproof.cases.case import RuleSet  # noqa: PLC0415  (the model is slow to import)
    from meshproof.cases.planned_mesh import Planner  # noqa: PLC0415
    from meshproof.cli.case_run import load_case_project, read_inputs  # noqa: PLC0415
    from meshproof.explain.question import Question, explain_question  # noqa: PLC0415

    loaded = load_case_project(project)
    mesh = Planner(loaded, read_inputs(files), namespace).plan(RuleSet())
    if not mesh.workloads and not loaded.manifests:
        raise UsageError(
            f"explain: there is no workload in these files, and no {PROJECT_FILE} here says where "
            "manifests are; add them with -f"
        )
    return explain_question(mesh.fleet, mesh.store.lowered, Question(*request)).as_dict()
