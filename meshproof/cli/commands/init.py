"""``init``: write a first meshproof.yaml for existing manifests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.output import print_message
from meshproof.errors import UsageError
from meshproof.project_path import PROJECT_FILE

_FOLDERS = ("k8s", "manifests", "kubernetes", "deploy")


@app.command()
def init(
    manifests: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MANIFESTS]...",
            help=f"Files and folders; by default the first of {', '.join(_FOLDERS)} that exists.",
            show_default=False,
        ),
    ] = None,
    project: Annotated[
        Path,
        typer.Option("--project", help="The file to write; an existing one is never overwritten."),
    ] = Path(PROJECT_FILE),
) -> None:
    """Write a first meshproof.yaml: every image and outside host, with TODO for what is unknown."""
    from meshproof.init.render import render_project_file  # noqa: PLC0415  (the model is slow to import)
    from meshproof.model.reader import Undecodable, read_resources  # noqa: PLC0415

    paths = manifests or [name for name in _FOLDERS if Path(name).is_dir()][:1]
    if not paths:
        raise UsageError(f"init: no manifests named, and no {', '.join(_FOLDERS)} in {Path.cwd()}")
    if project.exists():
        raise UsageError(f"init: {project} is there already, and is never written over")
    try:
        resources = read_resources(paths)
        problems: list[str] = []
    except Undecodable as refused:
        resources, problems = list(refused.resources), [str(p) for p in refused.problems]
        if not resources:
            raise
    text = render_project_file(
        [os.path.relpath(p, project.absolute().parent) for p in paths], resources
    )
    with project.open("x", encoding="utf-8") as file:
        file.write(text)
    for problem in problems:
        print_message(f"warning: {problem}")
    todos = sum("TODO" in line for line in text.splitlines() if not line.lstrip().startswith("#"))
    suffix = f", and {_count(len(problems), 'problem')} in the manifests" if problems else ""
    print(f"{project} written; {_count(todos, 'TODO')} left{suffix}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
