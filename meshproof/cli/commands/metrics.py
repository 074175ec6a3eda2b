"""``metrics``: the counters of sidecars and apps."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Name, client


@app.command()
def metrics(
    workload: Annotated[
        str,
        typer.Argument(help="NAME or NAMESPACE/NAME; by default all.", show_default=False),
    ] = "",
    name: Name = DEFAULT_NAME,
) -> None:
    """Print metrics as Prometheus text: Istio's and Envoy's from the sidecars, and those of apps
    that expose any (docs/observe.md)."""
    sys.stdout.write(client(name).metrics(workload))
