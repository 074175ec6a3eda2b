"""``logs``: what one workload's apps wrote, or what everybody wrote of one request."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import say, show_json, show_table
from meshproof.errors import UsageError

Raw = dict[str, Any]
"""``meshproof.telemetry.log_lines.LogLine`` as the control socket carries it."""


@app.command()
def logs(  # noqa: PLR0917 - options, which nobody gives by place
    workload: Annotated[
        str, typer.Argument(help="NAME or NAMESPACE/NAME.", show_default=False)
    ] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Until the mesh ends.")] = False,
    trace: Annotated[
        str, typer.Option("--trace", metavar="ID", help="All lines of this trace, of all hops.")
    ] = "",
    run: Annotated[
        str, typer.Option("--run", metavar="ID", help="All lines of requests with this x-run-id.")
    ] = "",
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Print what a workload's apps wrote (each line with its replica where there are several), or
    with --trace or --run what apps and sidecars wrote of one request or run, in order of time."""
    asked = [bool(workload), bool(trace), bool(run)]
    if sum(asked) != 1:
        raise UsageError("logs: wanted one of WORKLOAD, --trace ID and --run ID")
    if workload:
        if output is Format.JSON:
            raise UsageError("logs: -o json is for --trace and --run; apps write what they like")
        _stream(workload, follow, name)
        return
    if follow:
        raise UsageError("logs: -f is for a workload's log")
    _joined(trace, run, output, name)


def _stream(workload: str, follow: bool, name: str) -> None:
    for part in client(name).logs(workload, follow):
        sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()


def _joined(trace: str, run: str, output: Format, name: str) -> None:
    found = client(name).joined_logs(trace, run)
    if output is Format.JSON:
        show_json(found)
    elif found:
        show_table(
            ("Began", "Writer", "Part", "Request", "Status", "Took", "Said"), map_rows(found)
        )
    if not found:
        say(f"no log has a line of {f'trace {trace}' if trace else f'run {run}'}")
        raise typer.Exit(1)


def map_rows(found: list[Raw]) -> list[tuple[str, ...]]:
    """One row a line: time of day, who, where, what, how it ended."""
    return [_sidecar(line) if line["part"] == "sidecar" else _app(line) for line in found]


def _sidecar(line: Raw) -> tuple[str, ...]:
    entry = line["entry"]
    request = f"{entry.get('direction')} {entry.get('method')} {entry.get('authority')}"
    flags = entry.get("flags")
    said = f"{flags} {entry.get('details') or ''}".strip() if flags not in (None, "-", "") else ""
    return (*_head(line), request + _path(entry), *_end(entry, "code", "duration_ms"), said)


def _app(line: Raw) -> tuple[str, ...]:
    entry = line["entry"]
    request = f"{entry['method']} " if "method" in entry else ""
    said = entry.get("problem") or entry.get("message") or entry.get("text") or ""
    return (*_head(line), request + _path(entry), *_end(entry, "status", "ms"), str(said).strip())


def _head(line: Raw) -> tuple[str, str, str]:
    return line["began"].partition("T")[2].rstrip("Z") or "-", line["writer"], line["part"]


def _path(entry: Raw) -> str:
    return str(entry.get("path") or "").partition("?")[0]


def _end(entry: Raw, status: str, took: str) -> tuple[str, str]:
    milliseconds = entry.get(took)
    return str(entry.get(status, "-")), "-" if milliseconds is None else f"{milliseconds:g} ms"
