"""``dump``: write the evidence of a running mesh to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Name, client
from meshproof.cli.output import print_message


@app.command()
def dump(
    folder: Annotated[Path, typer.Argument()] = Path("meshproof-dump"),
    name: Name = DEFAULT_NAME,
) -> None:
    """Write Envoy configuration, logs and resources to a folder."""
    client(name).dump(str(folder.absolute()))
    print_message(f"written to {folder}")
