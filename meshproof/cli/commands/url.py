"""``url``: the address of a workload, the gateway, the metrics or the traces."""

from __future__ import annotations

from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import show_json


@app.command()
def url(
    target: Annotated[
        str, typer.Argument(metavar="WORKLOAD|gateway|metrics|zipkin", show_default=False)
    ],
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Print the URL at which a workload, the gateway, metrics or traces are reached from outside
    the mesh."""
    address = client(name).url(target)
    if output is Format.JSON:
        show_json({"url": address})
    else:
        print(address)
