"""``spans``: the traces of the requests with one run id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import print_message, show_json, show_table
from meshproof.telemetry.span_tree import SpanIds, build

Raw = dict[str, Any]
"""``meshproof.mesh.Span`` as the control socket carries it."""


@app.command()
def spans(
    run_id: Annotated[str, typer.Argument(metavar="RUN-ID", show_default=False)],
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Print the traces of the requests with this x-run-id header, each as a tree of spans."""
    result = client(name).spans(run_id)
    if output is Format.JSON:
        show_json(result)
        return
    if not result:
        print_message(f"no span has x-run-id {run_id}")
        raise typer.Exit(1)
    for number, trace in enumerate(by_trace(result)):
        print("\n" * bool(number) + f"trace {trace[0]['trace_id']}")
        show_table(
            ("Service", "Kind", "Name", "Start", "Duration", "Status"),
            [_row(depth, span, trace[0]) for depth, span in tree(trace)],
        )


def by_trace(spans: Sequence[Raw]) -> list[list[Raw]]:
    """The spans of each trace by their start; the traces by the start of their first span."""
    traces: dict[str, list[Raw]] = {}
    for span in sorted(spans, key=lambda span: span["start"]):
        traces.setdefault(span["trace_id"], []).append(span)
    return list(traces.values())


def tree(trace: Sequence[Raw]) -> Iterator[tuple[int, Raw]]:
    """Depth and span, each span beneath its parent (see ``span_tree``)."""
    return build(trace, _ids).walk()


def _ids(span: Raw) -> SpanIds:
    return SpanIds(span["span_id"], span["parent_id"], span.get("kind", ""))


def _row(depth: int, span: Raw, first: Raw) -> tuple[str, ...]:
    return (
        "  " * depth + span["service"],
        span["kind"],
        span["name"],
        f"{(span['start'] - first['start']) * 1000:.1f} ms",
        f"{span['duration'] * 1000:.1f} ms",
        span["tags"].get("http.status_code", "-"),
    )
