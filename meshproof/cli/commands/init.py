"""``init``: write a first meshproof.yaml for existing manifests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.output import print_message
from meshproof.errors import UsageError
from meshproof.project_path import PROJECT_FILE

_SAVED = "manifests.yaml"
_FOLDERS = ("k8s", "manifests", "kubernetes", "deploy")


@app.command()
def init(
    manifests: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MANIFESTS]...",
            help="Files and folders; - for standard input, which is saved as "
            f"{_SAVED}; by default the first of {', '.join(_FOLDERS)} that exists.",
            show_default=False,
        ),
    ] = None,
    project: Annotated[
        Path,
        typer.Option("--project", help="The file to write; an existing one is never overwritten."),
    ] = Path(PROJECT_FILE),
    stand_ins: Annotated[
        bool,
        typer.Option(
            "--stand-ins",
            help="In place of each image and outside host, an app of meshproof that answers 200: "
            "for rules alone.",
        ),
    ] = False,
) -> None:
    """Write a first meshproof.yaml: every image and outside host, with TODO for what is unknown."""
    from meshproof.init.render import render_project_file  # noqa: PLC0415  (the model is slow to import)
    from meshproof.model.reader import Undecodable, read_resources  # noqa: PLC0415

    paths = manifests or [name for name in _FOLDERS if Path(name).is_dir()][:1]
    if not paths:
        raise UsageError(f"init: no manifests named, and no {', '.join(_FOLDERS)} in {Path.cwd()}")
    if project.exists():
        raise UsageError(f"init: {project} is there already, and is never written over")
    paths = [_save_stdin() if path == "-" else path for path in paths]
    try:
        resources = read_resources(paths)
        problems: list[str] = []
    except Undecodable as refused:
        resources, problems = list(refused.resources), [str(p) for p in refused.problems]
        if not resources:
            raise
    text = render_project_file(
        [os.path.relpath(p, project.absolute().parent) for p in paths],
        resources,
        stand_ins=stand_ins,
    )
    with project.open("x", encoding="utf-8") as file:
        file.write(text)
    for problem in problems:
        print_message(f"warning: {problem}")
    todos = 0
    for number, line in enumerate(text.splitlines(), 1):
        if "TODO" in line and not line.lstrip().startswith("#"):
            todos += 1
            print_message(f"{project}:{number}: {line.strip()}")
    suffix = f", and {_count(len(problems), 'problem')} in the manifests" if problems else ""
    print(f"{project} written; {_count(todos, 'TODO')} left{suffix}")


def _save_stdin() -> str:
    """What a chart was rendered to, such as ``helm template``'s output."""
    from meshproof.sources.sources import read_stdin  # noqa: PLC0415

    file = Path(_SAVED)
    if file.exists():
        raise UsageError(f"init: {file} is there already, and is never written over")
    file.write_text(read_stdin(sys.stdin.buffer), encoding="utf-8")
    return _SAVED


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
