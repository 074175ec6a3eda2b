"""``convert``: Istio 0.4's rules as networking.istio.io/v1, without a mesh."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import Namespace
from meshproof.cli.output import print_message
from meshproof.errors import UsageError
from meshproof.sources.sources import read_sources

OldRules = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE...",
        help="YAML files, folders, or - for standard input; including the Services that "
        "rules name as callers.",
        show_default=False,
    ),
]

Filenames = Annotated[
    list[str] | None,
    typer.Option(
        "-f",
        "--filename",
        help="The same, as for apply. Output of `kubectl get -o yaml` and of `helm template` will "
        "do: status and what a server adds are passed over.",
        show_default=False,
    ),
]


@app.command()
def convert(files: OldRules = None, filename: Filenames = None, namespace: Namespace = "") -> None:
    """Print Istio 0.4's rules as v1; what changed since goes to standard error."""
    from meshproof.istio04.convert import convert as convert_sources  # noqa: PLC0415  (slow to import)

    names = [*(files or ()), *(filename or ())]
    if not names:
        raise UsageError("convert: no file; name one, or - for standard input")
    sources = read_sources(names, stdin=sys.stdin.buffer)
    converted = convert_sources(sources, namespace=namespace)
    print(converted.text, end="", flush=True)
    for warning in converted.warnings:
        print_message(f"warning: {warning}")
    for change in converted.changes:
        print_message(f"changed: {change}")
