"""Who called whom in a trace: the links of Zipkin's dependency graph. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from meshproof.telemetry.span_rows import Row

Link = tuple[str, str, bool]
"""Caller, callee, and whether that call failed."""


class _Node(NamedTuple):
    span_id: str
    parent_id: str
    kind: str
    service: str
    remote: str
    error: bool
    shared: bool

    @property
    def above(self) -> str:
        return self.span_id if self.shared else self.parent_id


def links(rows: Iterable[Row]) -> tuple[Link, ...]:
    """One link for each call. A SERVER span stands for the call that it received. A CLIENT span
    stands for its call only if no span of the other side does, and if it names the callee.

    The spans of an app beside those of its sidecar are a step within the same service, not a call:
    they make no link.
    """
    nodes = [_node(row) for row in rows]
    by_id = {node.span_id: node for node in nodes if not node.shared}
    parents = {node.above for node in nodes if node.kind}
    return tuple(
        link
        for node in nodes
        for link in (
            _server_link(node, by_id) if node.kind == "SERVER" else _client_link(node, parents)
        )
    )


def _node(row: Row) -> _Node:
    _, span_id, parent_id, kind, service, _, remote, _, _, error, shared = row
    return _Node(span_id, parent_id, kind, service, remote, error, shared)


def _server_link(node: _Node, by_id: dict[str, _Node]) -> Iterator[Link]:
    above = _find_caller(node, by_id)
    if above is None:
        if node.remote:
            yield node.remote, node.service, node.error
    elif above.kind == "CLIENT" or not _is_same_service(above.service, node.service):
        yield above.service, node.service, node.error


def _is_same_service(one: str, other: str) -> bool:
    """Whether two names are of one service: an app may leave out the namespace that its sidecar
    adds (``svca``, ``svca.payments``)."""
    short, long = sorted((one, other), key=len)
    return one == other or long.startswith(f"{short}.")


def _client_link(node: _Node, parents: set[str]) -> Iterator[Link]:
    if node.kind == "CLIENT" and node.remote and node.span_id not in parents:
        yield node.service, node.remote, node.error


def _find_caller(node: _Node, by_id: dict[str, _Node]) -> _Node | None:
    """The nearest ancestor that is a side of a call."""
    ancestor, visited = by_id.get(node.above), set[str]()
    while ancestor is not None and ancestor.span_id not in visited:
        if ancestor.kind:
            return ancestor
        visited.add(ancestor.span_id)
        ancestor = by_id.get(ancestor.parent_id)
    return None
