"""``traces``: search the span store of a mesh, and show one trace as a waterfall."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import say, show_json, show_table
from meshproof.control.zipkin_client import get
from meshproof.telemetry import waterfall


@app.command()
def traces(
    *,
    trace_id: Annotated[
        str, typer.Argument(metavar="TRACE-ID", help="One trace.", show_default=False)
    ] = "",
    service: Annotated[str, typer.Option(help="Of a span: svcb.payments.")] = "",
    span: Annotated[str, typer.Option(help="A span's name.")] = "",
    tags: Annotated[
        str, typer.Option(help="As Zipkin takes it: 'error and http.status_code=503'.")
    ] = "",
    longer: Annotated[float, typer.Option(min=0, help="Than so many milliseconds.")] = 0,
    since: Annotated[float, typer.Option(min=0, help="The last so many seconds.")] = 86400,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 10,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Search the traces of a mesh, newest first; with TRACE-ID show that one as a waterfall."""
    base = client(name).url("zipkin")
    if trace_id:
        _one(get(f"{base}/api/v2/trace/{trace_id}"), output)
        return
    asked = {
        "serviceName": service,
        "spanName": span,
        "annotationQuery": tags,
        "minDuration": round(longer * 1000),
        "lookback": round(since * 1000),
        "limit": limit,
    }
    found = get(f"{base}/api/v2/traces?{urlencode({k: v for k, v in asked.items() if v})}")
    if output is Format.JSON:
        show_json(found)
        return
    if not found:
        say("no trace fits")
        raise typer.Exit(1)
    show_table(waterfall.SUMMARY, [waterfall.summary(one, _clock(one)) for one in found])


def _one(spans: Any, output: Format) -> None:
    if output is Format.JSON:
        show_json(spans)
        return
    print(f"trace {spans[0]['traceId']}, began {_clock(spans)}")
    show_table(waterfall.HEADERS, waterfall.rows(spans))


def _clock(spans: Any) -> str:
    begin = datetime.fromtimestamp(waterfall.extent(spans)[0] / 1e6).astimezone()
    return begin.isoformat(sep=" ", timespec="milliseconds")[:-6]
