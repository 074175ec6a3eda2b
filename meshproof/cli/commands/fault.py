"""``fault``: break something of a running mesh on purpose."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Name, client
from meshproof.cli.output import print_message
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
        str,
        typer.Argument(help="The workload or outside host; heal and clear: by default all."),
    ] = "",
    *,
    source: Annotated[str, typer.Option("--from", help="Only for requests from this caller.")] = "",
    ms: Annotated[
        float, typer.Option(help="latency: the delay in milliseconds.", show_default=False)
    ] = 0.0,
    percent: Annotated[
        float, typer.Option(help="loss: lost data, in percent.", show_default=False)
    ] = 0.0,
    replica: Annotated[str, typer.Option(help="Only this replica.")] = "",
    part: Annotated[str, typer.Option(help="kill, pause, resume: app (default) or sidecar.")] = "",
    seconds: Annotated[float, typer.Option("--for", help="Undo it after this many seconds.")] = 0.0,
    name: Name = DEFAULT_NAME,
) -> None:
    """Break processes, or connections to a workload or outside host, on purpose.

    A fault lasts until heal or clear, or until the mesh ends. With --for it lasts as long as this
    command; the mesh undoes it even if the command is killed.
    """
    if not workload and kind not in ("heal", "clear"):
        raise UsageError(f"fault {kind}: wanted a workload or an outside host")
    options = {"source": source, "ms": ms, "percent": percent, "replica": replica, "part": part}
    options = {key: value for key, value in options.items() if value}
    mesh = client(name)
    if not seconds:
        mesh.fault(kind, workload, **options)
        return
    if kind in _ENDS:
        raise UsageError(f"fault {kind}: --for: wanted a kind that can be undone")
    hold = mesh.hold_fault(workload)
    try:
        mesh.fault(kind, workload, **options)
        print_message(f"{kind} of {workload} for {seconds:g} s")
        time.sleep(seconds)
    finally:
        mesh.fault("clear", workload)
        hold.release()
