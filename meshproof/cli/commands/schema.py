"""``schema``: print the JSON Schema of a kind of file."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.output import show_json


class SchemaName(enum.StrEnum):
    """The files that have one."""

    CASES = "cases"
    PROJECT = "project"


@app.command()
def schema(
    name: Annotated[SchemaName, typer.Argument(help="cases: of `meshproof test`; or project.")],
) -> None:
    """Print the JSON Schema of case files or of meshproof.yaml, for an editor's completion."""
    from meshproof.cases.schema import cases_schema, project_schema  # noqa: PLC0415 (slow to import)

    show_json(cases_schema() if name is SchemaName.CASES else project_schema())
