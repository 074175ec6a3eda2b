"""``check``: what a mesh would say of files, without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshproof.cli.options import Format, Namespace, Output, Strict
from meshproof.cli.output import say, show_json
from meshproof.cli.texts import read_texts

if TYPE_CHECKING:
    from meshproof.errors import Problem
    from meshproof.model.resource import Resource
    from meshproof.project import Project

PROJECT_FILE = "meshproof.yaml"


def check(
    filename: Annotated[
        list[str] | None,
        typer.Option("-f", "--filename", help="As for apply; without it, the project's own."),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option("--project", help=f"What the files are added to; ./{PROJECT_FILE} if there."),
    ] = None,
    namespace: Namespace = "",
    strict: Strict = False,
    output: Output = Format.TEXT,
) -> None:
    """Validate files without a mesh: exit 2 where `apply` would refuse them.

    With a project file the files are checked on top of its manifests, so that what they refer to
    is known; without one, each for itself, and nothing is said of hosts that stand elsewhere.
    """
    from meshproof.embedded.deployments import and_images  # noqa: PLC0415  (slow to import)
    from meshproof.errors import UsageError  # noqa: PLC0415
    from meshproof.model.reader import Unreadable  # noqa: PLC0415
    from meshproof.project import load_project  # noqa: PLC0415

    path = project or (Path(PROJECT_FILE) if Path(PROJECT_FILE).exists() else None)
    if path is None:
        if not filename:
            raise UsageError(f"check: no -f, and no {PROJECT_FILE} here; wanted one of them")
        _alone(read_texts(filename), namespace, output)
        return
    loaded = load_project(path)
    try:
        _on(loaded, filename, namespace, strict, output)
    except Unreadable as refused:
        raise and_images(refused, loaded) from None


def _on(
    loaded: Project, filename: list[str] | None, namespace: str, strict: bool, output: Format
) -> None:
    """On top of a project. Raises Unreadable for files that are no resources."""
    from meshproof.embedded.intake import Intake  # noqa: PLC0415
    from meshproof.embedded.store import Store  # noqa: PLC0415
    from meshproof.model.reader import read_paths  # noqa: PLC0415

    intake = Intake(loaded)
    manifests = read_paths(loaded.manifests)
    start = intake.apply(Store(), manifests, strict=strict)
    if filename:
        added = _read(read_texts(filename), namespace)
        taken = intake.apply(start.store, added, strict=strict)
        _report(len(added), taken.warnings, output)
        return
    count, found = len(manifests), list(start.warnings)
    for rule in loaded.rules:  # one at a time: they are alternatives, each its file's whole effect
        added = read_paths([rule])
        count += len(added)
        found += intake.apply(start.store, added, strict=strict).warnings
    _report(count, found, output)


def _read(texts: list[tuple[str, str]], namespace: str) -> list[Resource]:
    from meshproof.model.reader import read_texts as parse  # noqa: PLC0415

    return parse(texts, namespace=namespace)


def _alone(texts: list[tuple[str, str]], namespace: str, output: Format) -> None:
    from meshproof.dialect.lower import lower  # noqa: PLC0415

    resources = _read(texts, namespace)
    lower(resources, [])
    _report(len(resources), [], output)


def _report(count: int, warnings: Sequence[Problem], output: Format) -> None:
    if output is Format.JSON:
        show_json({"resources": count, "warnings": [w.as_dict() for w in warnings]})
        return
    for warning in warnings:
        say(f"warning: {warning}")
    print(f"{count} resources are fine" if count != 1 else "1 resource is fine")
