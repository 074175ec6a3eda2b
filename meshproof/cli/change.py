"""``apply``, ``delete``, ``scale``: changes of a running mesh; they return when live."""

from __future__ import annotations

from typing import Annotated

import typer

from meshproof.cli.options import (
    DEFAULT_NAME,
    Files,
    Format,
    Name,
    Namespace,
    Output,
    Strict,
    client,
)
from meshproof.cli.output import show_applied
from meshproof.cli.texts import read_texts
from meshproof.errors import UsageError


def apply(
    filename: Files,
    namespace: Namespace = "",
    strict: Strict = False,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Create or replace resources; returns when they are live on every sidecar concerned."""
    texts = read_texts(filename)
    show_applied(client(name).apply(texts, namespace, strict), output)


def delete(
    filename: Files,
    namespace: Namespace = "",
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Remove the resources that the files name; returns when they are gone everywhere."""
    show_applied(client(name).delete(read_texts(filename), namespace), output)


def scale(
    target: Annotated[str, typer.Argument(metavar="WORKLOAD=N", show_default=False)],
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Set a workload's number of replicas; returns when they are ready and known."""
    workload, equals, number = target.rpartition("=")
    if not equals or not workload or not (number.isascii() and number.isdigit()):
        raise UsageError(f"scale: {target!r}: wanted WORKLOAD=N, such as svca=2")
    show_applied(client(name).scale(workload, int(number)), output)
