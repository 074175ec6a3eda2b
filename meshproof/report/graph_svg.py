"""The service graph of a run as SVG that needs no script. Pure: calls in, coordinates out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meshproof.report.calls import CLOSED, GATEWAY, Call
from meshproof.telemetry.graph_layout import columns, rows

BOX = (150, 46)
"""Width and height of a node, in pixels of the drawing."""
_APART = (330, 100)
_EDGE = 12


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    kind: str
    """gateway, workload, outside or closed."""
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class GraphEdge:
    call: Call
    path: str
    """An SVG path, from the source's right side to the target's left, or over the top and back."""
    x: int
    y: int
    """The position of its label."""


@dataclass(frozen=True, slots=True)
class Graph:
    width: int
    height: int
    nodes: Sequence[Node]
    edges: Sequence[GraphEdge]


def draw_graph(calls: Sequence[Call]) -> Graph | None:
    """None without calls."""
    if not calls:
        return None
    kinds = _kinds(calls)
    edges = [(call.source, call.target) for call in calls]
    last = [name for name, kind in kinds.items() if kind in ("outside", "closed")]
    first = GATEWAY if GATEWAY in kinds else calls[0].source
    column = columns(list(kinds), edges, first=first, last=last)
    row = rows(column, edges)
    tallest = max(row.values()) + 1
    nodes = {
        name: Node(name, kind, *_position(name, column, row, tallest))
        for name, kind in kinds.items()
    }
    width = (max(column.values()) * _APART[0]) + BOX[0] + 2 * _EDGE
    height = (tallest - 1) * _APART[1] + BOX[1] + 2 * _EDGE + 26
    drawn_edges = [_draw_edge(call, nodes[call.source], nodes[call.target]) for call in calls]
    return Graph(width, height, list(nodes.values()), drawn_edges)


def _kinds(calls: Sequence[Call]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for call in calls:
        kinds.setdefault(call.source, "gateway" if call.source == GATEWAY else "workload")
    for call in calls:
        kind = "closed" if call.target == CLOSED else "outside" if call.outside else "workload"
        kinds.setdefault(call.target, kind)
    return kinds


def _position(
    name: str, column: Mapping[str, int], row: Mapping[str, int], tallest: int
) -> tuple[int, int]:
    """A shorter column is centred."""
    height = sum(other == column[name] for other in column.values())
    down = (tallest - height) / 2 + row[name]
    return _EDGE + column[name] * _APART[0], int(_EDGE + 20 + down * _APART[1])


def _draw_edge(call: Call, source: Node, target: Node) -> GraphEdge:
    x0, y0 = source.x + BOX[0], source.y + BOX[1] // 2
    x1, y1 = target.x, target.y + BOX[1] // 2
    if x1 > x0:
        bend = (x1 - x0) // 2
        path = f"M {x0} {y0} C {x0 + bend} {y0} {x1 - bend} {y1} {x1} {y1}"
        return GraphEdge(call, path, (x0 + x1) // 2, (y0 + y1) // 2)
    top = min(source.y, target.y) - 18  # within a column, or backwards: over the top
    x1 = target.x + BOX[0] // 2
    path = f"M {x0} {y0} C {x0 + 60} {top} {x1} {top} {x1} {target.y}"
    return GraphEdge(call, path, (x0 + x1) // 2, top)
