"""``convert``: Istio 0.4's rules as networking.istio.io/v1, without a mesh."""

from __future__ import annotations

from typing import Annotated

import typer

from meshproof.cli.options import Namespace
from meshproof.cli.output import say
from meshproof.cli.texts import read_texts

Old = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="YAML files, folders, or - for standard input; with the Services that rules name "
        "as callers.",
        show_default=False,
    ),
]


def convert(files: Old, namespace: Namespace = "") -> None:
    """Print v1 rules that behave as Istio 0.4's did; say on standard error what changed since."""
    from meshproof.istio04.convert import convert as converted  # noqa: PLC0415  (slow to import)

    made = converted(read_texts(files), namespace=namespace)
    print(made.text, end="", flush=True)
    for warning in made.warnings:
        say(f"warning: {warning}")
    for change in made.changes:
        say(f"changed: {change}")
