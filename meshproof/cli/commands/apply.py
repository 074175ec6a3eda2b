"""``apply``: create or replace resources."""

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
    Strict,
    client,
    require_files,
)
from meshproof.cli.output import show_applied
from meshproof.sources.sources import read_sources


@app.command()
def apply(
    *,
    files: Paths = None,
    filename: Files = None,
    namespace: Namespace = "",
    strict: Strict = False,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Create or replace resources; return when every affected sidecar has them."""
    sources = read_sources(require_files("apply", filename, files), stdin=sys.stdin.buffer)
    show_applied(client(name).apply(sources, namespace, strict), output)
