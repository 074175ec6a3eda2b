"""The tree of a trace's spans: the one builder, for verdicts, pages and the command line. Pure.

Envoy's Zipkin tracer may let the two sides of a call share one span id (``shared_span_context``):
then the SERVER side is a child of the CLIENT side, and what the call caused is a child of the
SERVER side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from meshproof.telemetry.zipkin_json import Raw

S = TypeVar("S")


class SpanIds(NamedTuple):
    """What places a span in its trace."""

    span_id: str
    parent_id: str
    """Empty for a root."""
    kind: str
    """``CLIENT`` or ``SERVER``; anything else for neither."""


@dataclass(slots=True, eq=False)
class Node(Generic[S]):
    """A span with the spans that it caused, in the order in which they were given."""

    span: S
    children: list[Node[S]] = field(default_factory=list)
    orphan: bool = False
    """Whether it names a parent that nobody reported."""


@dataclass(frozen=True, slots=True)
class Tree(Generic[S]):
    """All spans of one trace, each once."""

    tops: tuple[Node[S], ...]
    """Spans without a parent, in the order given: roots and orphans. Of spans that name each other
    as parents in a circle, the first is a root."""

    @property
    def roots(self) -> tuple[Node[S], ...]:
        return tuple(node for node in self.tops if not node.orphan)

    @property
    def orphans(self) -> tuple[Node[S], ...]:
        return tuple(node for node in self.tops if node.orphan)

    def walk(self) -> Iterator[tuple[int, S]]:
        """Depth and span, parents before their children."""
        for top in self.tops:
            pending = [(0, top)]
            while pending:
                depth, node = pending.pop()
                yield depth, node.span
                pending += [(depth + 1, child) for child in reversed(node.children)]


def build(spans: Iterable[S], ids: Callable[[S], SpanIds]) -> Tree[S]:
    """The tree of one trace; give spans in order of time to have siblings in that order."""
    nodes = [(Node(span), ids(span)) for span in spans]
    by_id: dict[str, list[tuple[Node[S], str]]] = defaultdict(list)
    for node, own in nodes:
        by_id[own.span_id].append((node, own.kind))
    parents: dict[int, Node[S]] = {}
    for node, own in nodes:
        parent = _find_parent(node, own, by_id)
        node.orphan = parent is None and bool(own.parent_id)
        if parent is not None:
            parent.children.append(node)
            parents[id(node)] = parent
    return Tree(_find_tops([node for node, _ in nodes], parents))


def _find_parent(
    node: Node[S], own: SpanIds, by_id: Mapping[str, Sequence[tuple[Node[S], str]]]
) -> Node[S] | None:
    if own.kind == "SERVER":  # the other side of a shared span id comes first
        for other, kind in by_id[own.span_id]:
            if other is not node and kind == "CLIENT":
                return other
    named = [pair for pair in by_id.get(own.parent_id, ()) if pair[0] is not node]
    servers = [pair for pair in named if pair[1] == "SERVER"]
    return next((parent for parent, _ in servers or named), None)


def _find_tops(nodes: Sequence[Node[S]], parents: dict[int, Node[S]]) -> tuple[Node[S], ...]:
    """The nodes without a parent; a circle is opened at its first node."""
    tops = {id(node) for node in nodes if id(node) not in parents}
    reached: set[int] = set()
    for node in nodes:
        if id(node) in tops:
            _reach(node, reached)
    for node in nodes:
        if id(node) not in reached:
            parents[id(node)].children.remove(node)
            tops.add(id(node))
            _reach(node, reached)
    return tuple(node for node in nodes if id(node) in tops)


def _reach(top: Node[S], reached: set[int]) -> None:
    pending = [top]
    while pending:
        node = pending.pop()
        if id(node) not in reached:
            reached.add(id(node))
            pending += node.children


def start(span: Raw) -> int:
    """When a span of Zipkin's JSON began, in microseconds since 1970; 0 where it does not say."""
    return int(span.get("timestamp") or 0)


def tree(spans: Sequence[Raw]) -> Iterator[tuple[int, Raw]]:
    """Depth and span of one trace in Zipkin's JSON, siblings in order of time."""
    return build(sorted(spans, key=start), _zipkin_ids).walk()


def _zipkin_ids(span: Raw) -> SpanIds:
    return SpanIds(span["id"], span.get("parentId") or "", span.get("kind") or "")
