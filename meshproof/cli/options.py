"""Options that several commands share, and the running mesh that ``--name`` names."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshproof.errors import UsageError
from meshproof.project_path import PROJECT_FILE

if TYPE_CHECKING:
    from meshproof.control.client import Client

DEFAULT_NAME = "meshproof"


class Format(enum.StrEnum):
    """How data is printed."""

    TEXT = "text"
    JSON = "json"


Name = Annotated[str, typer.Option("--name", envvar="MESHPROOF_NAME", help="Name of the mesh.")]
Files = Annotated[
    list[str] | None,
    typer.Option("-f", "--filename", help="YAML file, folder, or - for standard input."),
]
Paths = Annotated[list[str] | None, typer.Argument(metavar="FILE", help="Same as -f.")]
ProjectFile = Annotated[
    Path | None,
    typer.Option("--project", help=f"The project file; by default ./{PROJECT_FILE}, if any."),
]
Namespace = Annotated[
    str, typer.Option("-n", "--namespace", help="Namespace of documents that name none.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse warnings as well.")]
Output = Annotated[Format, typer.Option("-o", "--output", help="Output format.")]
Artifacts = Annotated[Path, typer.Option(help="Folder for the report.")]
Workload = Annotated[str, typer.Argument(help="NAME or NAMESPACE/NAME.", show_default=False)]
Pods = Annotated[
    bool | None,
    typer.Option(
        "--pods/--no-pods",
        help="Whether replicas are in namespaces of their own; by default as MESHPROOF_PODS says "
        "(on, off or auto), which is auto.",
        show_default=False,
    ),
]


def choose_pods(pods: bool | None) -> None:
    """Let the option win over the variable, for this process and those that it starts."""
    if pods is not None:
        os.environ["MESHPROOF_PODS"] = "on" if pods else "off"


OnlyNamespace = Annotated[str, typer.Option("-n", "--namespace", help="Only this namespace.")]


def client(name: str) -> Client:
    """The running mesh of that name; raises UsageError where there is none."""
    from meshproof.control.client import Client  # noqa: PLC0415  (commands without a mesh are quicker)

    return Client.find(name)


def require_files(verb: str, filename: list[str] | None, files: list[str] | None) -> list[str]:
    """``-f a -f b`` as kubectl has it, and ``rules/*.yaml`` as a shell expands it. Raises
    UsageError where there are none."""
    inputs = [*(filename or ()), *(files or ())]
    if not inputs:
        raise UsageError(f"{verb}: wanted -f FILE: a YAML file, a folder, or - for standard input")
    return inputs
