"""``fault``: break something of a running mesh on purpose."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Name, client
from meshproof.cli.output import say
from meshproof.errors import UsageError

_ENDS = ("resume", "heal", "clear")


@app.command()
def fault(
    kind: Annotated[
        str,
        typer.Argument(
            help="kill, pause, resume; latency, loss, refuse, cut, partition, heal; clear.",
            show_default=False,
        ),
    ],
    workload: Annotated[
        str, typer.Argument(help="Where; heal and clear without one: everywhere.")
    ] = "",
    *,
    source: Annotated[str, typer.Option("--from", help="Only for this caller.")] = "",
    ms: Annotated[float, typer.Option(help="latency: so much later.")] = 0.0,
    percent: Annotated[float, typer.Option(help="loss: so many of 100 pieces of data.")] = 0.0,
    replica: Annotated[str, typer.Option(help="Only this one.")] = "",
    part: Annotated[str, typer.Option(help="kill, pause, resume: app or sidecar.")] = "",
    seconds: Annotated[float, typer.Option("--for", help="Undone after so many seconds.")] = 0.0,
    name: Name = DEFAULT_NAME,
) -> None:
    """Break something on purpose: processes, or the way to a workload or outside host.

    It lasts until heal or clear, or until the mesh ends; with --for as long as this command, which
    the mesh undoes too where the command is killed.
    """
    if not workload and kind not in ("heal", "clear"):
        raise UsageError(f"fault {kind}: of what? wanted a workload or an outside host")
    options = {"source": source, "ms": ms, "percent": percent, "replica": replica, "part": part}
    how = {key: value for key, value in options.items() if value}
    mesh = client(name)
    if not seconds:
        mesh.fault(kind, workload, **how)
        return
    if kind in _ENDS:
        raise UsageError(f"fault {kind}: --for: wanted a kind that can be undone")
    hold = mesh.hold_fault(workload)
    try:
        mesh.fault(kind, workload, **how)
        say(f"{kind} of {workload} for {seconds:g} s")
        time.sleep(seconds)
    finally:
        mesh.fault("clear", workload)
        hold.release()
