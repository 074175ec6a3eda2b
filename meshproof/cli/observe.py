"""``observe``: Prometheus, Grafana, Kiali and Zipkin beside a mesh on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import say, show_json, show_table


def observe(
    folder: Annotated[Path, typer.Argument(help="A kustomization.")] = Path(
        "manifests/observability"
    ),
    off: Annotated[bool, typer.Option("--off", help="Delete them again.")] = False,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Apply the add-ons to a mesh on a cluster, and print where each is seen (docs/kind.md)."""
    if off:
        client(name).unobserve(str(folder.absolute()))
        say("the add-ons are deleted")
        return
    found = client(name).observe(str(folder.absolute()))
    if output is Format.JSON:
        show_json(found)
    else:
        show_table(("Add-on", "URL"), sorted(found.items()))
