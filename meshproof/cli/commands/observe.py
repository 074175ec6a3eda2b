"""``observe``: Prometheus beside a mesh; on a cluster Grafana, Kiali and Zipkin as well."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.interrupts import Interrupted, interrupts
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import print_message, show_json, show_table
from meshproof.errors import MeshproofError, UsageError

if TYPE_CHECKING:
    from meshproof.control.client import Client
    from meshproof.telemetry.prometheus_process import PrometheusProcess

_WATCH = 0.5
"""Seconds between two checks that mesh and Prometheus are still running."""


@app.command()
def observe(
    *,
    folder: Annotated[
        Path, typer.Argument(help="On a cluster: the kustomization of the add-ons.")
    ] = Path("manifests/observability"),
    off: Annotated[bool, typer.Option("--off", help="On a cluster: delete the add-ons.")] = False,
    interval: Annotated[
        float, typer.Option(min=0.1, help="On this machine: seconds between two scrapes.")
    ] = 5.0,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Run Prometheus beside the mesh until Ctrl-C; on a cluster, apply add-ons.

    Prints the URL of each (docs/observe.md, docs/kind.md).
    """
    mesh = client(name)
    if mesh.status()["kind"] == "embedded":
        if off:
            raise UsageError("--off is for a cluster: here Prometheus ends with Ctrl-C")
        _run_prometheus(mesh, interval, output, name)
    elif off:
        mesh.unobserve(str(folder.absolute()))
        print_message("the add-ons are deleted")
    else:
        _show(mesh.observe(str(folder.absolute())), output)


def _run_prometheus(mesh: Client, interval: float, output: Format, name: str) -> None:
    from meshproof.telemetry.prometheus_process import PrometheusProcess  # noqa: PLC0415

    metrics, zipkin = mesh.url("metrics"), mesh.url("zipkin")
    # In the run folder: whatever ends this process, the mesh's own end removes it.
    process = PrometheusProcess(metrics, interval=interval, parent=Path(mesh.entry.run_dir))
    try:
        with interrupts(name), process as prometheus:
            _show({"metrics": metrics, "prometheus": prometheus.url, "zipkin": zipkin}, output)
            scrapes = f"Prometheus scrapes the mesh {name} every {interval:g} s"
            print_message(f"{scrapes}; Ctrl-C ends it")
            _watch(mesh, process)
    except Interrupted:
        print_message("Prometheus has ended, and its data with it")


def _watch(mesh: Client, process: PrometheusProcess) -> None:
    """Until the mesh ends. Raises MeshproofError where Prometheus ends first."""
    while mesh.entry.alive:
        try:
            code = process.wait(_WATCH)
        except subprocess.TimeoutExpired:
            continue
        raise MeshproofError(f"prometheus ended with code {code}")
    print_message(f"the mesh {mesh.entry.name} has ended, and Prometheus with it")


def _show(urls: dict[str, str], output: Format) -> None:
    if output is Format.JSON:
        show_json(urls)
    else:
        show_table(("Add-on", "URL"), sorted(urls.items()))
