"""``metrics`` and ``spans``: what the sidecars counted, and which way a request went."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import say, show_json, show_table

Raw = dict[str, Any]
"""``meshproof.mesh.Span`` as the control socket carries it."""


def metrics(
    workload: Annotated[
        str, typer.Argument(help="NAME or NAMESPACE/NAME; without it, all.", show_default=False)
    ] = "",
    name: Name = DEFAULT_NAME,
) -> None:
    """Print metrics as Prometheus text: the sidecars' (Istio's istio_requests_total ..., Envoy's
    own), and those of apps that say what they count (docs/observe.md)."""
    sys.stdout.write(client(name).metrics(workload))


def spans(
    run_id: Annotated[str, typer.Argument(metavar="RUN-ID", show_default=False)],
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Print the traces of the requests that carried this x-run-id, each as a tree of spans."""
    found = client(name).spans(run_id)
    if output is Format.JSON:
        show_json(found)
        return
    if not found:
        say(f"no span has x-run-id {run_id}")
        raise typer.Exit(1)
    for number, trace in enumerate(by_trace(found)):
        print("\n" * bool(number) + f"trace {trace[0]['trace_id']}")
        show_table(
            ("Service", "Kind", "Name", "Start", "Duration", "Status"),
            [_row(depth, span, trace[0]) for depth, span in tree(trace)],
        )


def by_trace(found: Sequence[Raw]) -> list[list[Raw]]:
    """The spans of each trace in the order in which they began; so the traces too."""
    traces: dict[str, list[Raw]] = {}
    for span in sorted(found, key=lambda span: span["start"]):
        traces.setdefault(span["trace_id"], []).append(span)
    return list(traces.values())


def tree(trace: Sequence[Raw]) -> Iterator[tuple[int, Raw]]:
    """Depth and span, each span beneath its parent; one whose parent is not there is a root."""
    children: dict[str, list[Raw]] = {}
    ids = {span["span_id"] for span in trace}
    for span in trace:
        parent = span["parent_id"] if span["parent_id"] in ids else ""
        children.setdefault(parent, []).append(span)

    def beneath(parent: str, depth: int) -> Iterator[tuple[int, Raw]]:
        for span in children.get(parent, ()):
            yield depth, span
            yield from beneath(span["span_id"], depth + 1)

    return beneath("", 0)


def _row(depth: int, span: Raw, first: Raw) -> tuple[str, ...]:
    return (
        "  " * depth + span["service"],
        span["kind"],
        span["name"],
        f"{(span['start'] - first['start']) * 1000:.1f} ms",
        f"{span['duration'] * 1000:.1f} ms",
        span["tags"].get("http.status_code", "-"),
    )
