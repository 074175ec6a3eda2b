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
    Paths,
    Strict,
    client,
)
from meshproof.cli.output import show_applied
from meshproof.cli.texts import read_texts
from meshproof.errors import UsageError


def apply(
    *,
    files: Paths = None,
    filename: Files = None,
    namespace: Namespace = "",
    strict: Strict = False,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Create or replace resources; returns when they are live on every sidecar concerned."""
    texts = read_texts(_wanted("apply", filename, files))
    show_applied(client(name).apply(texts, namespace, strict), output)


def delete(
    *,
    files: Paths = None,
    filename: Files = None,
    namespace: Namespace = "",
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Remove the resources that the files name; returns when they are gone everywhere."""
    texts = read_texts(_wanted("delete", filename, files))
    show_applied(client(name).delete(texts, namespace), output)


def _wanted(verb: str, filename: list[str] | None, files: list[str] | None) -> list[str]:
    """``-f a -f b`` as kubectl has it, and ``rules/*.yaml`` as a shell makes it."""
    named = [*(filename or ()), *(files or ())]
    if not named:
        raise UsageError(f"{verb}: wanted -f FILE: a YAML file, a folder, or - for standard input")
    return named


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
