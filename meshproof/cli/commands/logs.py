"""``logs``: the output of a workload's apps, or every log line of one request."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import print_message, show_json, show_table
from meshproof.errors import UsageError

Raw = dict[str, Any]
"""``meshproof.telemetry.log_lines.LogLine`` as the control socket carries it."""
_HEADERS = ("Began", "Writer", "Part", "Request", "Status", "Took", "Message")


@app.command()
def logs(  # noqa: PLR0917 - options, which nobody passes by position
    workload: Annotated[
        str, typer.Argument(help="NAME or NAMESPACE/NAME.", show_default=False)
    ] = "",
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Keep printing until the mesh ends.")
    ] = False,
    trace: Annotated[
        str,
        typer.Option(
            "--trace", metavar="ID", help="Every line of this trace, of apps and sidecars."
        ),
    ] = "",
    run: Annotated[
        str, typer.Option("--run", metavar="ID", help="Every line of requests with this x-run-id.")
    ] = "",
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Print the logs of a workload's apps, or every log line of one request.

    With several replicas each line begins with its replica. With --trace or --run the lines are
    those of apps and sidecars, in order of time.
    """
    if [bool(workload), bool(trace), bool(run)].count(True) != 1:
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
    lines = client(name).joined_logs(trace, run)
    if output is Format.JSON:
        show_json(lines)
    elif lines:
        show_table(_HEADERS, [_row(line) for line in lines])
    if not lines:
        print_message(f"no log has a line of {f'trace {trace}' if trace else f'run {run}'}")
        raise typer.Exit(1)


def _row(line: Raw) -> tuple[str, ...]:
    return _sidecar_row(line) if line["part"] == "sidecar" else _app_row(line)


def _sidecar_row(line: Raw) -> tuple[str, ...]:
    entry = line["entry"]
    request = f"{entry.get('direction')} {entry.get('method')} {entry.get('authority')}"
    flags = entry.get("flags")
    reason = f"{flags} {entry.get('details') or ''}".strip() if flags not in (None, "-", "") else ""
    return (*_head(line), request + _path(entry), *_end(entry, "code", "duration_ms"), reason)


def _app_row(line: Raw) -> tuple[str, ...]:
    entry = line["entry"]
    request = f"{entry['method']} " if "method" in entry else ""
    text = entry.get("problem") or entry.get("message") or entry.get("text") or ""
    return (*_head(line), request + _path(entry), *_end(entry, "status", "ms"), str(text).strip())


def _head(line: Raw) -> tuple[str, str, str]:
    return line["began"].partition("T")[2].rstrip("Z") or "-", line["writer"], line["part"]


def _path(entry: Raw) -> str:
    return str(entry.get("path") or "").partition("?")[0]


def _end(entry: Raw, status: str, duration: str) -> tuple[str, str]:
    milliseconds = entry.get(duration)
    return str(entry.get(status, "-")), "-" if milliseconds is None else f"{milliseconds:g} ms"
