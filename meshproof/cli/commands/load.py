"""``load``: send load through the gateway with Locust, and count who answered."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import threading
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.interrupts import Interrupted, interrupts
from meshproof.cli.load_report import LoadReport, show_calls
from meshproof.cli.options import DEFAULT_NAME, Artifacts, Format, Name, Output
from meshproof.cli.output import print_info, print_message, show_json, show_table
from meshproof.cli.progress import show_progress
from meshproof.control.client import Client
from meshproof.errors import UsageError
from meshproof.extras import require
from meshproof.host import load_folders, registry
from meshproof.project_path import PROJECT_FILE, find_project
from meshproof.traffic.locustfile_choice import choose_locustfile

if TYPE_CHECKING:
    from meshproof.project import Project
    from meshproof.traffic.distributed_load import DistributedLoad
    from meshproof.traffic.load import Load
    from meshproof.traffic.results import Results

_LOCUST_PORT = 8089


@app.command()
def load(
    *,
    users: Annotated[int, typer.Option(min=1, help="Number of concurrent users.")] = 16,
    seconds: Annotated[
        int, typer.Option(min=0, help="Duration; by default until Ctrl-C.", show_default=False)
    ] = 0,
    requests: Annotated[
        int,
        typer.Option(
            min=0, help="Exact number of requests, instead of a duration.", show_default=False
        ),
    ] = 0,
    path: Annotated[
        str,
        typer.Option(help="Path to request.", show_default="the project's, or /"),
    ] = "",
    workers: Annotated[
        int,
        typer.Option(min=0, help="On a cluster: send from this many pods.", show_default=False),
    ] = 0,
    ui: Annotated[
        bool, typer.Option("--ui", help="Control the load from Locust's own web page.")
    ] = False,
    locustfile: Annotated[
        Path | None,
        typer.Option(
            help="Locustfile with the users' tasks.",
            show_default="the project's, ./locustfile.py, or one that sends GET",
        ),
    ] = None,
    artifacts: Artifacts = Path("artifacts"),
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Send load through the gateway with Locust; count which version answered.

    Prints Locust's summary, and leaves a report. If no mesh of that name is running, one is
    started from meshproof.yaml for the duration of the load. Ctrl-C ends the load cleanly. Exit
    code 1 if a request failed.
    """
    require("jinja2", "plotly", extra="load")
    if not workers:
        require("locust")
    if bool(seconds) + bool(requests) + ui > 1:
        raise UsageError("load: wanted at most one of --seconds, --requests and --ui")
    if workers and ui:
        raise UsageError("load: --ui is for a load from this machine; leave out --workers")
    if not (locustfile and path):
        project = _project()
        locustfile = locustfile or choose_locustfile(project, Path())
        path = path or (project.path if project else "/")
    if not locustfile.is_file():
        raise UsageError(f"load: {locustfile}: there is no such locustfile")
    options = {"users": users, "seconds": seconds, "requests": requests, "path": path}
    distributed = _distribute(locustfile, workers, options) if workers else None
    with interrupts(name), contextlib.ExitStack() as undo:
        try:
            mesh = _find_or_start(name, undo)
            host = "" if distributed else mesh.url("gateway")  # no gateway: no load, no report
            report = LoadReport(mesh, artifacts)
            if distributed:
                results, summary = _send_from_cluster(mesh, distributed)
            else:
                results, summary = _send_from_here(mesh, host, locustfile, options, ui)
        except Interrupted as interrupt:  # before there was any result
            raise typer.Exit(interrupt.exit_code) from None
        _show(results, summary, output)
        calls = report.write(f"Load on {path}", results)
        if output is Format.TEXT and not _names_versions(results):
            show_calls(calls)
    if results.failed:
        raise typer.Exit(1)


def _project() -> Project | None:
    """The project of this folder; None where there is none."""
    file = find_project()
    if file is None:
        return None
    from meshproof.project import load_project  # noqa: PLC0415 (slow to import)

    return load_project(file)


def _send_from_here(
    mesh: Client, host: str, locustfile: Path, options: dict[str, Any], ui: bool
) -> tuple[Results, str]:
    """Send it by a Locust on this machine; its results, and its summary."""
    from meshproof.traffic.load import Load  # noqa: PLC0415  (not paid by other commands)

    page = _free_port() if ui else 0
    with Load(host, locustfile=locustfile, page=page, **options) as running:
        bounded = options["seconds"] or options["requests"]
        _print_start(running, host, mesh.entry.name, bounded)
        return _wait(running), running.summary()


def _distribute(locustfile: Path, workers: int, options: dict[str, Any]) -> DistributedLoad:
    """Raises UsageError before anything is started."""
    from meshproof.traffic.distributed_load import DistributedLoad  # noqa: PLC0415  (not paid by other loads)

    text = locustfile.read_text("utf-8")
    load = DistributedLoad(run_id=uuid.uuid4().hex, workers=workers, locustfile=text, **options)
    load.check()
    return load


def _send_from_cluster(mesh: Client, load: DistributedLoad) -> tuple[Results, str]:
    """Send it from the cluster; its results, and Locust's summary."""
    from meshproof.traffic.distributed_load import LOG, RECORDS, STATS  # noqa: PLC0415
    from meshproof.traffic.results import read  # noqa: PLC0415

    cluster = f"the cluster of {mesh.entry.name}"
    print_info(f"load {load.run_id} from {load.workers} workers on {cluster}")
    with load_folders.create() as folder:
        mesh.load(asdict(load), folder)
        files = Path(folder)
        results = read(load.run_id, files / RECORDS, files / STATS)
        return results, (files / LOG).read_text("utf-8")


def _find_or_start(name: str, undo: contextlib.ExitStack) -> Client:
    """The running mesh, or one that ends with ``undo``."""
    if any(entry.name == name for entry in registry.list_running()):
        return Client.find(name)
    project = _project()
    if project is None:
        raise UsageError(f"load: no mesh named {name} is running, and no {PROJECT_FILE} is here")
    from meshproof.control.serve import serve_mesh  # noqa: PLC0415  (aiohttp is slow to import)
    from meshproof.mesh_factory import make_mesh  # noqa: PLC0415

    print_info(f"no mesh named {name} is running: one is started for this load")
    mesh = make_mesh(os.environ.get("MESH", "embedded"), project, name)
    ended = threading.Event()
    undo.enter_context(serve_mesh(mesh, ended))
    threading.Thread(target=_interrupt_after, args=(ended,), daemon=True).start()
    return Client.find(name)


def _interrupt_after(ended: threading.Event) -> None:
    """``meshproof down`` from elsewhere does what Ctrl-C does."""
    ended.wait()
    os.kill(os.getpid(), signal.SIGTERM)


def _free_port() -> int:
    """Locust's usual one, or another where that is taken."""
    for port in (_LOCUST_PORT, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as free:
            return int(free.getsockname()[1])
    raise UsageError("load: no port of 127.0.0.1 is free for Locust's page")


def _print_start(load: Load, host: str, name: str, bounded: float) -> None:
    hint = "" if bounded else "; Ctrl-C ends it"
    print_info(f"load {load.run_id} on {host} (mesh {name}){hint}")
    if load.page:
        print_message(f"Locust's page: {load.page_ready()}")


def _wait(load: Load) -> Results:
    try:
        with show_progress("load"):
            return load.wait(within=math.inf)
    except Interrupted:
        if not load.progress():  # Locust may not even be ready to be told
            raise
        return load.stop()


def _show(results: Results, summary: str, output: Format) -> None:
    sample = results.sample()
    total = max(sum(sample.counts.values()), 1)
    if output is Format.JSON:
        show_json(_as_dict(results))
        return
    print(summary.rstrip())
    if _names_versions(results):
        show_table(
            ("Version", "Requests", "Share"),
            [(version, str(n), f"{n / total:.2%}") for version, n in sample.counts.items()],
        )
    counts = "".join(f", {n} {name}" for name, n in results.counts().items())
    print(f"{results.sent} requests, {results.failed} failed{counts}; {results.rate:.0f} a second")


def _names_versions(results: Results) -> bool:
    """Whether any response names its version; otherwise the sidecars' counts tell who answered."""
    return any(record.version for record in results.answered)


def _as_dict(results: Results) -> dict[str, Any]:
    return {
        **results.counts(),  # a name of the app's own never hides one of these
        "run_id": results.run_id,
        "sent": results.sent,
        "failed": results.failed,
        "versions": dict(results.sample().counts),
        "seconds": results.seconds,
        "rate": results.rate,
    }
