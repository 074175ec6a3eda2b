"""``events``: every change of a running mesh since it came up."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import show_json, show_table


@app.command()
def events(
    since: Annotated[int, typer.Option(min=0, help="Only events with a higher number.")] = 0,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Print every change since up: when, what, how long it took to be live, or why it failed."""
    changes = client(name).events(since)
    if output is Format.JSON:
        show_json(changes)
        return
    show_table(("#", "Time", "Change", "Took", "Sidecars", "Result"), [_row(e) for e in changes])


def _row(event: dict[str, Any]) -> tuple[str, ...]:
    error = event["error"]
    result = f"{error['error']}: {error['message'].splitlines()[0]}" if error else "live"
    return (
        str(event["number"]),
        time.strftime("%H:%M:%S", time.localtime(event["at"])),
        f"{event['verb']} {event['subject']}".rstrip(),
        f"{event['seconds'] * 1000:.0f} ms",
        str(event["sidecars"]) if event["sidecars"] else "",
        "done" if event["verb"] == "fault" and not error else result,
    )
