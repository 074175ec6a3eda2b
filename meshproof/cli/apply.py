"""``apply``, ``delete``, ``scale``: changes of a running mesh; they return when live."""

from __future__ import annotations

import sys
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
from meshproof.errors import UsageError
from meshproof.sources.sources import read_sources


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
    sources = read_sources(_inputs("apply", filename, files), stdin=sys.stdin.buffer)
    show_applied(client(name).apply(sources, namespace, strict), output)


def delete(
    *,
    files: Paths = None,
    filename: Files = None,
    namespace: Namespace = "",
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Remove the resources that the files name; returns when they are gone everywhere."""
    sources = read_sources(_inputs("delete", filename, files), stdin=sys.stdin.buffer)
    show_applied(client(name).delete(sources, namespace), output)


def _inputs(verb: str, filename: list[str] | None, files: list[str] | None) -> list[str]:
    """``-f a -f b`` as kubectl has it, and ``rules/*.yaml`` as a shell makes it."""
    inputs = [*(filename or ()), *(files or ())]
    if not inputs:
        raise UsageError(f"{verb}: wanted -f FILE: a YAML file, a folder, or - for standard input")
    return inputs


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
