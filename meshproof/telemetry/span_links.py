"""Who called whom, out of a trace's spans: the links of Zipkin's dependency graph. Pure."""

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
    """One link a call. A SERVER span tells of the call that made it; a CLIENT span only where
    nobody on the other side did, and it names whom it called.

    A service's own spans beside its sidecar's are one more step within the same service, and no
    call: they make no link.
    """
    nodes = [_node(row) for row in rows]
    by_id = {node.span_id: node for node in nodes if not node.shared}
    heard = {node.above for node in nodes if node.kind}
    return tuple(
        link
        for node in nodes
        for link in (_received(node, by_id) if node.kind == "SERVER" else _sent(node, heard))
    )


def _node(row: Row) -> _Node:
    _, span_id, parent_id, kind, service, _, remote, _, _, error, shared = row
    return _Node(span_id, parent_id, kind, service, remote, error, shared)


def _received(node: _Node, by_id: dict[str, _Node]) -> Iterator[Link]:
    above = _above(node, by_id)
    if above is None:
        if node.remote:
            yield node.remote, node.service, node.error
    elif above.kind == "CLIENT" or not _same(above.service, node.service):
        yield above.service, node.service, node.error


def _same(one: str, other: str) -> bool:
    """Whether two names are of one service: an app may leave out the namespace that its sidecar
    says (``svca``, ``svca.payments``)."""
    short, long = sorted((one, other), key=len)
    return one == other or long.startswith(f"{short}.")


def _sent(node: _Node, heard: set[str]) -> Iterator[Link]:
    if node.kind == "CLIENT" and node.remote and node.span_id not in heard:
        yield node.service, node.remote, node.error


def _above(node: _Node, by_id: dict[str, _Node]) -> _Node | None:
    """The nearest span above that took part in a call."""
    above, seen = by_id.get(node.above), set[str]()
    while above is not None and above.span_id not in seen:
        if above.kind:
            return above
        seen.add(above.span_id)
        above = by_id.get(above.parent_id)
    return None
