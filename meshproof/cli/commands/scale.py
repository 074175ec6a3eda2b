"""``scale``: set a workload's number of replicas."""

from __future__ import annotations

from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import show_applied
from meshproof.errors import UsageError


@app.command()
def scale(
    target: Annotated[str, typer.Argument(metavar="WORKLOAD=N", show_default=False)],
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Set a workload's number of replicas; return when they are ready and sidecars know."""
    workload, equals, number = target.rpartition("=")
    if not equals or not workload or not (number.isascii() and number.isdigit()):
        raise UsageError(f"scale: {target!r}: wanted WORKLOAD=N, such as cart=2")
    show_applied(client(name).scale(workload, int(number)), output)
