"""``port-forward``: a port of a workload's app on this machine's loopback."""

from __future__ import annotations

from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, Workload, client
from meshproof.cli.output import show_json


@app.command("port-forward")
def port_forward(
    workload: Workload,
    port: Annotated[int, typer.Argument(min=1, max=65535, show_default=False)],
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Print an address of this machine that leads to a port of a workload's app.

    It leads to the app itself, past its sidecar, as kubectl's does: for a debugger or a database
    client. It lasts as long as the replica. `meshproof url` goes through the sidecar.
    """
    address = client(name).port_forward(workload, port)
    if output is Format.JSON:
        show_json({"address": address})
    else:
        print(address)
