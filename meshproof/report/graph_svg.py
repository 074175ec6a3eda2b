"""The service graph of a run as a picture that needs no script. Pure: calls in, places out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meshproof.report.calls import CLOSED, GATEWAY, Call
from meshproof.telemetry.graph_layout import columns, rows

BOX = (150, 46)
"""Width and height of a node, in pixels of the picture."""
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
    """SVG's, from the source's right side to the target's left, or around for a way back."""
    x: int
    y: int
    """Where its label stands."""


@dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    nodes: Sequence[Node]
    ways: Sequence[GraphEdge]


def picture(calls: Sequence[Call]) -> Picture | None:
    """None of no calls."""
    if not calls:
        return None
    kinds = _kinds(calls)
    ways = [(call.source, call.target) for call in calls]
    last = [name for name, kind in kinds.items() if kind in ("outside", "closed")]
    first = GATEWAY if GATEWAY in kinds else calls[0].source
    column = columns(list(kinds), ways, first=first, last=last)
    row = rows(column, ways)
    tallest = max(row.values()) + 1
    nodes = {
        name: Node(name, kind, *_place(name, column, row, tallest)) for name, kind in kinds.items()
    }
    width = (max(column.values()) * _APART[0]) + BOX[0] + 2 * _EDGE
    height = (tallest - 1) * _APART[1] + BOX[1] + 2 * _EDGE + 26
    drawn = [_way(call, nodes[call.source], nodes[call.target]) for call in calls]
    return Picture(width, height, list(nodes.values()), drawn)


def _kinds(calls: Sequence[Call]) -> dict[str, str]:
    found: dict[str, str] = {}
    for call in calls:
        found.setdefault(call.source, "gateway" if call.source == GATEWAY else "workload")
    for call in calls:
        kind = "closed" if call.target == CLOSED else "outside" if call.outside else "workload"
        found.setdefault(call.target, kind)
    return found


def _place(
    name: str, column: Mapping[str, int], row: Mapping[str, int], tallest: int
) -> tuple[int, int]:
    """A shorter column stands in the middle."""
    here = sum(other == column[name] for other in column.values())
    down = (tallest - here) / 2 + row[name]
    return _EDGE + column[name] * _APART[0], int(_EDGE + 20 + down * _APART[1])


def _way(call: Call, source: Node, target: Node) -> GraphEdge:
    x0, y0 = source.x + BOX[0], source.y + BOX[1] // 2
    x1, y1 = target.x, target.y + BOX[1] // 2
    if x1 > x0:
        bend = (x1 - x0) // 2
        path = f"M {x0} {y0} C {x0 + bend} {y0} {x1 - bend} {y1} {x1} {y1}"
        return GraphEdge(call, path, (x0 + x1) // 2, (y0 + y1) // 2)
    top = min(source.y, target.y) - 18  # within a column, or back: over the top
    x1 = target.x + BOX[0] // 2
    path = f"M {x0} {y0} C {x0 + 60} {top} {x1} {top} {x1} {target.y}"
    return GraphEdge(call, path, (x0 + x1) // 2, top)
