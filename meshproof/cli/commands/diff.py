"""``diff``: which requests two sets of rules answer differently."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import Namespace, Pods, ProjectFile, choose_pods


class DiffFormat(enum.StrEnum):
    """How differences are printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="PATH, REVISION:PATH or REVISION.")],
    new: Annotated[str, typer.Argument(help="The same; - for standard input.")],
    *,
    filename: Annotated[
        list[str] | None,
        typer.Option("-f", "--filename", help="Manifests that both sides are on top of."),
    ] = None,
    cases: Annotated[
        list[str] | None,
        typer.Option("-t", "--cases", help="Also compare the requests of these cases."),
    ] = None,
    project: ProjectFile = None,
    namespace: Namespace = "",
    pods: Pods = None,
    output: Annotated[
        DiffFormat,
        typer.Option("-o", "--output", help="markdown: for a comment on a pull request."),
    ] = DiffFormat.TEXT,
) -> None:
    """Compare two sets of rules by what becomes of requests: by example, by route, with the rule.

    Both are on top of -f, and of the project's manifests, if there is a project. Exit code 0: no
    request that was compared is answered differently; 1: some are; 2: something is refused.
    """
    from meshproof.cli.rule_diff import run_diff  # noqa: PLC0415  (slow to import)

    choose_pods(pods)
    code = run_diff(
        old,
        new,
        files=filename or [],
        cases=cases or [],
        project=project,
        namespace=namespace,
        output=output.value,
    )
    raise typer.Exit(code)
