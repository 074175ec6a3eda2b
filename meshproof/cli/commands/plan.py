"""``plan``: what a mesh on a cluster would run, without running it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.project_path import PROJECT_FILE


@app.command()
def plan(
    filename: Annotated[
        list[Path] | None,
        typer.Option("-f", "--filename", help="Rules to apply, in addition to the project's."),
    ] = None,
) -> None:
    """Print the commands and manifests of MESH=kind (or context), in order, without running any."""
    from dataclasses import replace  # noqa: PLC0415  (late, like all that is slow)

    from meshproof.cluster.plan import plan as write_plan  # noqa: PLC0415
    from meshproof.project import load_project  # noqa: PLC0415

    project = load_project(Path(PROJECT_FILE))
    rules = (*project.rules, *(path.absolute() for path in filename or ()))
    kind = "context" if os.environ.get("MESH") == "context" else "kind"
    print(write_plan(replace(project, rules=rules), os.environ, kind=kind), end="")
