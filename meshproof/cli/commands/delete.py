"""``delete``: remove resources."""

from __future__ import annotations

import sys

from meshproof.cli.app import app
from meshproof.cli.options import (
    DEFAULT_NAME,
    Files,
    Format,
    Name,
    Namespace,
    Output,
    Paths,
    client,
    require_files,
)
from meshproof.cli.output import show_applied
from meshproof.sources.sources import read_sources


@app.command()
def delete(
    *,
    files: Paths = None,
    filename: Files = None,
    namespace: Namespace = "",
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Remove the resources in the given files; return when no sidecar has them any more."""
    sources = read_sources(require_files("delete", filename, files), stdin=sys.stdin.buffer)
    show_applied(client(name).delete(sources, namespace), output)
