"""``convert``: Istio 0.4's rules as v1, and VirtualServices as HTTPRoutes, without a mesh."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated, Literal

import typer

from meshproof.cli.app import app
from meshproof.cli.options import Namespace
from meshproof.cli.output import print_message
from meshproof.errors import UsageError
from meshproof.inputs import Source
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


EXIT_KEPT = 1
"""Something stays as it is."""
Target = Annotated[
    Literal["istio", "gateway-api"],
    typer.Option(
        "--to",
        help="`gateway-api`: VirtualServices and their Gateways, where HTTPRoutes say the same; "
        "all others are named, and left as they are.",
    ),
]


@app.command()
def convert(
    files: OldRules = None,
    filename: Filenames = None,
    namespace: Namespace = "",
    to: Target = "istio",
) -> None:
    """Print Istio 0.4's rules as v1, or VirtualServices as HTTPRoutes; what changed goes to
    standard error."""
    names = [*(files or ()), *(filename or ())]
    if not names:
        raise UsageError("convert: no file; name one, or - for standard input")
    sources = read_sources(names, stdin=sys.stdin.buffer)
    if to == "gateway-api":
        _migrate(sources, namespace)
    else:
        _lower(sources, namespace)


def _migrate(sources: Iterable[Source], namespace: str) -> None:
    from meshproof.gateway_api.from_virtual_services import migrate  # noqa: PLC0415  (slow to import)
    from meshproof.model.reader import read_resources, with_default_namespace  # noqa: PLC0415
    from meshproof.model.yaml_writer import documents_to_yaml  # noqa: PLC0415

    decoded = read_resources(sources, namespace=namespace)
    migration = migrate(with_default_namespace(decoded, namespace or "default"))
    if not migration.documents and not migration.kept:
        raise UsageError("convert: the files hold no VirtualService")
    print(documents_to_yaml(migration.documents) if migration.documents else "", end="", flush=True)
    for change in migration.changes:
        print_message(f"changed: {change}")
    for resource, reasons in migration.kept:
        print_message(f"not converted: {resource.title}: {'; '.join(reasons)}")
    if migration.kept:
        raise typer.Exit(EXIT_KEPT)


def _lower(sources: Iterable[Source], namespace: str) -> None:
    from meshproof.istio04.convert import convert as convert_sources  # noqa: PLC0415  (slow to import)

    converted = convert_sources(sources, namespace=namespace)
    print(converted.text, end="", flush=True)
    for warning in converted.warnings:
        print_message(f"warning: {warning}")
    for change in converted.changes:
        print_message(f"changed: {change}")
