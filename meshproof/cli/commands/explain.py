"""``explain``: what a request would meet, and why, without sending it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.headers import parse_header
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Namespace, Output, client
from meshproof.cli.output import show_json
from meshproof.errors import UsageError
from meshproof.project_path import PROJECT_FILE, find_project

NONE, SOME = 3, 4
"""Exit codes: the mesh answers every such request itself, or some of them."""


@app.command()
def explain(
    url: Annotated[str, typer.Argument(show_default=False)],
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="WORKLOAD|gateway", help="Who would send it.")
    ],
    method: Annotated[str, typer.Option("-X", "--request", help="GET without it.")] = "GET",
    header: Annotated[list[str], typer.Option("-H", "--header", help="'Name: value'.")] = [],  # noqa: B006  (typer copies it)
    filename: Annotated[
        list[str] | None,
        typer.Option("-f", "--filename", help="Without a mesh: rules over the project's files."),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option("--project", help=f"Without a mesh, of this file; ./{PROJECT_FILE} with -f."),
    ] = None,
    namespace: Namespace = "",
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Say which rule and route decide what happens to a request, why, and with what chance.

    Nothing is sent: it reads the configuration that Envoys are given. Exit 0 where an app (or a
    host outside) answers, 3 where the mesh itself does, 4 where it depends on chance.
    """
    headers = [parse_header("explain", text) for text in header]
    if filename or project:
        said = _of_files(filename or [], project, namespace, (source, url, method, headers))
    else:
        said = client(name).explain(source, url, method, headers)
    if output is Format.JSON:
        show_json(said)
    else:
        from meshproof.explain.render import text  # noqa: PLC0415

        print(text(said), flush=True)
    if said["answered"] < 100:
        raise typer.Exit(SOME if said["answered"] > 0 else NONE)


def _of_files(
    files: list[str],
    project: Path | None,
    namespace: str,
    asked: tuple[str, str, str, list[tuple[str, str]]],
) -> dict[str, Any]:
    from meshproof.embedded import explain_adapter  # noqa: PLC0415  (the model is slow to import)
    from meshproof.embedded.admission.profile import embedded_admission  # noqa: PLC0415
    from meshproof.project import load_project  # noqa: PLC0415

    path = project or find_project()
    if path is None:
        raise UsageError(f"explain: no {PROJECT_FILE} here says which workloads there are")
    loaded = load_project(path)
    admission = embedded_admission(loaded)
    manifests = admission.read(loaded.manifests)
    store = admission.apply(admission.new_store(), manifests, strict=False).store
    if files:
        rules = admission.read(files, stdin=sys.stdin.buffer, namespace=namespace)
        store = admission.apply(store, rules, strict=False).store
    return explain_adapter.of_files(store, loaded, explain_adapter.Question(*asked)).as_dict()
