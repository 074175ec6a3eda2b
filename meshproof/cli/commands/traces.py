"""``traces``: search the traces of a mesh, or show one as a waterfall."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import print_message, show_json, show_table
from meshproof.control.zipkin_client import get
from meshproof.telemetry import waterfall


@app.command()
def traces(
    *,
    trace_id: Annotated[
        str, typer.Argument(metavar="TRACE-ID", help="Show this trace.", show_default=False)
    ] = "",
    service: Annotated[
        str, typer.Option(help="Only with a span of this service, e.g. cart.shop.")
    ] = "",
    span: Annotated[str, typer.Option(help="Only with a span of this name.")] = "",
    tags: Annotated[
        str, typer.Option(help="Only with tags: 'error and http.status_code=503'.")
    ] = "",
    longer: Annotated[
        float, typer.Option(min=0, help="Only with a span longer than this, in ms.")
    ] = 0,
    since: Annotated[float, typer.Option(min=0, help="Only those of the last N seconds.")] = 86400,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 10,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Search traces, newest first; with TRACE-ID, show that one as a waterfall."""
    mesh = client(name)
    if trace_id:
        _show_trace(get(mesh, f"/api/v2/trace/{trace_id}"), output)
        return
    query: dict[str, str | int] = {
        "serviceName": service,
        "spanName": span,
        "annotationQuery": tags,
        "minDuration": round(longer * 1000),
        "lookback": round(since * 1000),
        "limit": limit,
    }
    result = get(mesh, "/api/v2/traces", query)
    if output is Format.JSON:
        show_json(result)
        return
    if not result:
        print_message("no trace matches")
        raise typer.Exit(1)
    show_table(waterfall.SUMMARY, [waterfall.summary(trace, _clock(trace)) for trace in result])


def _show_trace(spans: Any, output: Format) -> None:
    if output is Format.JSON:
        show_json(spans)
        return
    print(f"trace {spans[0]['traceId']}, began {_clock(spans)}")
    show_table(waterfall.HEADERS, waterfall.rows(spans))


def _clock(spans: Any) -> str:
    begin = datetime.fromtimestamp(waterfall.extent(spans)[0] / 1e6).astimezone()
    return begin.isoformat(sep=" ", timespec="milliseconds")[:-6]
