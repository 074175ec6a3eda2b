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
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, Pods, choose_pods
from meshproof.cli.output import print_info, print_message, show_applied
from meshproof.cli.progress import listen, show_progress
from meshproof.errors import MeshproofError, UsageError
from meshproof.project_path import PROJECT_FILE, find_project
from meshproof.sources.sources import read_stdin

if TYPE_CHECKING:
    from meshproof.cli.daemon import Report
    from meshproof.control.served_mesh import ServedMesh

_POLL = 0.1
"""Seconds between two polls of the apps' logs."""
_RELIST = 1.0
"""Seconds between two listings of the log files."""
_RELIST_REMOTE = 5.0
"""The same where a listing means commands to a cluster."""


@app.command()
def up(
    *,
    filename: Annotated[
        list[str] | None,
        typer.Option("-f", "--filename", help=f"Manifests, instead of {PROJECT_FILE}'s."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", help="File that maps images to local processes.")
    ] = None,
    outside: Annotated[
        Path | None,
        typer.Option("--outside", help="File that maps outside hosts to loopback addresses."),
    ] = None,
    detach: Annotated[
        bool, typer.Option("-d", "--detach", help="Run in the background; return when it is live.")
    ] = False,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Serve a live page; its address is printed.")
    ] = False,
    pods: Pods = None,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Start a mesh; in the foreground it shows the apps' logs until Ctrl-C."""
    choose_pods(pods)
    options = _Options(filename, images, outside, name, dashboard)
    if not detach:
        _run_in_foreground(options, output)
        return
    from meshproof.cli.daemon import daemonise  # noqa: PLC0415  (not paid in the foreground)

    try:
        with show_progress(f"mesh {name} starts"):
            first = daemonise(name, lambda report: _run_in_background(options, report))
    except Interrupted as interrupt:  # typer would make 130 of any
        raise typer.Exit(interrupt.exit_code) from None
    show_applied(first["applied"], output)
    if first["dashboard"]:
        print_message(f"dashboard: {first['dashboard']}")


class _Options:
    """The command line's options. ``make`` imports and reads files: slow, so it is done late."""

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
        from meshproof.mesh_factory import make_mesh  # noqa: PLC0415
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
        self.outside_hosts = [host for host, config in project.outside.items() if config.command]
        return make_mesh(os.environ.get("MESH", "embedded"), project, self.name)


def _run_in_foreground(options: _Options, output: Format) -> None:
    from meshproof.control.serve import serve_mesh  # noqa: PLC0415  (aiohttp is slow to import)

    ended = threading.Event()
    is_live = False
    try:
        with interrupts(options.name):
            print_info(f"starting mesh {options.name}")
            mesh = options.make()
            with contextlib.ExitStack() as until_down:
                with show_progress(f"mesh {options.name} starts"):
                    applied = until_down.enter_context(serve_mesh(mesh, ended))
                page = until_down.enter_context(_serve_dashboard(mesh, options))
                is_live = True
                show_applied(applied.as_dict(), output)
                if page:
                    print_message(f"dashboard: {page}")
                print_info(f"mesh {options.name} is up; Ctrl-C ends it")
                for lines in _follow_logs(mesh, options.outside_hosts, ended):
                    sys.stdout.buffer.write(lines)
                    sys.stdout.buffer.flush()
    except Interrupted as interrupt:
        if not is_live:
            raise typer.Exit(interrupt.exit_code) from None
    print_info(f"mesh {options.name} is down")


def _run_in_background(options: _Options, report: Report) -> None:
    from meshproof.cli.daemon import redirect_output  # noqa: PLC0415
    from meshproof.control.serve import serve_mesh  # noqa: PLC0415

    ended = threading.Event()
    mesh = options.make()
    with contextlib.ExitStack() as until_down:
        with listen(lambda line: report({"waiting": line})):
            applied = until_down.enter_context(serve_mesh(mesh, ended))
        page = until_down.enter_context(_serve_dashboard(mesh, options))
        report({"applied": applied.as_dict(), "dashboard": page})
        redirect_output(mesh.run_dir / "meshproof.log")
        os.chdir("/")
        ended.wait()


@contextlib.contextmanager
def _serve_dashboard(mesh: ServedMesh, options: _Options) -> Iterator[str]:
    """The address of the dashboard beside a mesh, or an empty string without ``--dashboard``. It
    starts once the mesh is live, and nobody waits for it."""
    if not options.dashboard:
        yield ""
        return
    from meshproof.dashboard.launch import run_beside  # noqa: PLC0415

    log = mesh.run_dir / "dashboard.log"
    with run_beside(mesh.name, mesh.run_id, Path("rules").absolute(), log) as address:
        yield address


def _follow_logs(mesh: ServedMesh, outside: list[str], ended: threading.Event) -> Iterator[bytes]:
    """What the apps write, each line with its replica, until ``ended``."""
    from meshproof.control.log_follower import LogFollower  # noqa: PLC0415
    from meshproof.control.protocols import Remote  # noqa: PLC0415

    interval = _RELIST_REMOTE if isinstance(mesh, Remote) else _RELIST
    follower = LogFollower()
    files: list[Path] = []
    next_listing = 0.0
    while not ended.wait(_POLL):
        if time.monotonic() >= next_listing:
            files = _log_files(mesh, outside)
            next_listing = time.monotonic() + interval
        if lines := follower.poll(files, named=True):
            yield lines


def _log_files(mesh: ServedMesh, outside: list[str]) -> list[Path]:
    replicas: list[Any] = list(mesh.status().replicas)
    names = sorted({f"{r.namespace}/{r.workload}" for r in replicas}) + outside
    files: list[Path] = []
    for name in names:
        try:
            files += mesh.log_files(name)
        except MeshproofError:  # scaled to 0 meanwhile, or the mesh was lost
            continue
    return files
