"""``up``: in the foreground like ``docker compose up``, or with ``-d`` as a daemon."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.interrupts import Interrupted, interrupts
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output
from meshproof.cli.output import say, show_applied, tell
from meshproof.cli.progress import heard, shown
from meshproof.errors import MeshproofError, UsageError
from meshproof.project_path import PROJECT_FILE, find_project
from meshproof.sources.sources import read_stdin

if TYPE_CHECKING:
    from meshproof.cli.daemon import Report
    from meshproof.control.protocols import ServedMesh

_LOG_ROUND = 0.1
"""Seconds between two looks at the apps' logs."""
_FILES_ROUND = 1.0
"""Seconds between two looks at which logs there are."""
_FAR_ROUND = 5.0
"""The same where a look means commands to a cluster."""


@app.command()
def up(
    *,
    filename: Annotated[
        list[str] | None,
        typer.Option("-f", "--filename", help=f"Manifests, instead of {PROJECT_FILE}'s."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", help="How images run as local processes.")
    ] = None,
    outside: Annotated[
        Path | None, typer.Option("--outside", help="Hosts beyond the mesh, and where they are.")
    ] = None,
    detach: Annotated[bool, typer.Option("-d", "--detach", help="Return when live.")] = False,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="With a live page; its address is printed.")
    ] = False,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Start a mesh. In the foreground it shows the apps' logs, and Ctrl-C ends it."""
    if not detach:
        _foreground(_Wanted(filename, images, outside, name, dashboard), output)
        return
    from meshproof.cli.daemon import daemonise  # noqa: PLC0415  (not paid in the foreground)

    wanted = _Wanted(filename, images, outside, name, dashboard)
    try:
        with shown(f"mesh {name} starts"):
            said = daemonise(name, lambda report: _background(wanted, report))
    except Interrupted as interrupt:  # typer would make 130 of any
        raise typer.Exit(interrupt.exit_code) from None
    show_applied(said["applied"], output)
    if said["dashboard"]:
        say(f"dashboard: {said['dashboard']}")


class _Wanted:
    """What the command line asks for. ``make`` imports and reads: slow, so it is done late."""

    def __init__(
        self,
        files: list[str] | None,
        images: Path | None,
        outside: Path | None,
        name: str,
        dashboard: bool,
    ) -> None:
        self.files = files or []
        self.images = images
        self.outside = outside
        self.name = name
        self.dashboard = dashboard
        self.stdin = read_stdin(sys.stdin.buffer) if "-" in self.files else None
        self.outside_hosts: list[str] = []

    def make(self) -> ServedMesh:
        """Raises UsageError without anything to start, Refused for files that are wrong."""
        from meshproof.meshes import make_mesh  # noqa: PLC0415
        from meshproof.project import load_project  # noqa: PLC0415

        path = find_project()
        if path is None and not self.files:
            raise UsageError(
                f"up: no -f, and no {PROJECT_FILE} in {Path.cwd()}; wanted one of them"
            )
        project = load_project(
            None if self.files else path,
            images=self.images,
            outside=self.outside,
            manifests=self.files,
        )
        project = replace(project, stdin=self.stdin)
        self.outside_hosts = [host for host, said in project.outside.items() if said.command]
        return make_mesh(os.environ.get("MESH", "embedded"), project, self.name)


def _foreground(wanted: _Wanted, output: Format) -> None:
    from meshproof.control.serve import live  # noqa: PLC0415  (aiohttp is slow to import)

    ended = threading.Event()
    is_live = False
    try:
        with interrupts(wanted.name):
            tell(f"starting mesh {wanted.name}")
            mesh = wanted.make()
            with contextlib.ExitStack() as until_down:
                with shown(f"mesh {wanted.name} starts"):
                    applied = until_down.enter_context(live(mesh, ended))
                page = until_down.enter_context(_page(mesh, wanted))
                is_live = True
                show_applied(applied.as_dict(), output)
                if page:
                    say(f"dashboard: {page}")
                tell(f"mesh {wanted.name} is up; Ctrl-C ends it")
                for lines in _lines(mesh, wanted.outside_hosts, ended):
                    sys.stdout.buffer.write(lines)
                    sys.stdout.buffer.flush()
    except Interrupted as interrupt:
        if not is_live:
            raise typer.Exit(interrupt.exit_code) from None
    tell(f"mesh {wanted.name} is down")


def _background(wanted: _Wanted, report: Report) -> None:
    from meshproof.cli.daemon import write_to  # noqa: PLC0415
    from meshproof.control.serve import live  # noqa: PLC0415

    ended = threading.Event()
    mesh = wanted.make()
    with contextlib.ExitStack() as until_down:
        with heard(lambda line: report({"waiting": line})):
            applied = until_down.enter_context(live(mesh, ended))
        page = until_down.enter_context(_page(mesh, wanted))
        report({"applied": applied.as_dict(), "dashboard": page})
        write_to(mesh.run_dir / "meshproof.log")
        os.chdir("/")
        ended.wait()


@contextlib.contextmanager
def _page(mesh: ServedMesh, wanted: _Wanted) -> Iterator[str]:
    """The dashboard beside a mesh, if it is wanted: its address, else nothing. It starts once the
    mesh is live, and nobody waits for it."""
    if not wanted.dashboard:
        yield ""
        return
    from meshproof.dashboard.launch import beside  # noqa: PLC0415

    log = mesh.run_dir / "dashboard.log"
    with beside(mesh.name, mesh.run_id, Path("rules").absolute(), log) as address:
        yield address


def _lines(mesh: ServedMesh, outside: list[str], ended: threading.Event) -> Iterator[bytes]:
    """What apps write, each line with its replica, until ``ended``."""
    from meshproof.control.log_follower import LogFollower  # noqa: PLC0415
    from meshproof.control.protocols import Remote  # noqa: PLC0415

    every = _FAR_ROUND if isinstance(mesh, Remote) else _FILES_ROUND
    follower = LogFollower()
    files: list[Path] = []
    next_look = 0.0
    while not ended.wait(_LOG_ROUND):
        if time.monotonic() >= next_look:
            files = _log_files(mesh, outside)
            next_look = time.monotonic() + every
        if lines := follower.poll(files, named=True):
            yield lines


def _log_files(mesh: ServedMesh, outside: list[str]) -> list[Path]:
    replicas: list[Any] = list(mesh.status().replicas)
    names = sorted({f"{r.namespace}/{r.workload}" for r in replicas}) + outside
    files: list[Path] = []
    for name in names:
        try:
            files += mesh.log_files(name)
        except MeshproofError:  # scaled to 0 between the two looks, or the mesh was lost
            continue
    return files
