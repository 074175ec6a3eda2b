"""Lays out a small directed graph: columns by distance from the first node. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

Link = tuple[str, str]
"""Caller and callee."""


def columns(
    nodes: Sequence[str], links: Collection[Link], *, first: str, last: Collection[str]
) -> dict[str, int]:
    """Node -> column from 0: ``first`` alone in 0, ``last`` behind all others, every other node
    one column behind its first caller. Cycles do no harm; a node without a caller is in 1."""
    column = {first: 0}
    queue = [first]
    inner = {node for node in nodes if node != first and node not in last}
    while queue or inner - set(column):
        if not queue:
            unplaced = [n for n in nodes if n in inner - set(column)]
            roots = [n for n in unplaced if not any(b == n and a != n for a, b in links)]
            queue = (roots or unplaced)[:1]
            column[queue[0]] = 1
        caller = queue.pop(0)
        for source, target in sorted(links):
            if source == caller and target in inner and target not in column:
                column[target] = column[caller] + 1
                queue.append(target)
    end = max(column.values()) + 1
    return {node: column.get(node, end) for node in nodes}


def rows(column: Mapping[str, int], links: Collection[Link]) -> dict[str, int]:
    """Node -> row from 0 inside its column: ordered by the rows of their callers, then by name."""
    row: dict[str, int] = {}
    for number in sorted(set(column.values())):
        members = [node for node, c in column.items() if c == number]
        keys = {node: _sort_key(node, links, row) for node in members}
        row |= {node: index for index, node in enumerate(sorted(members, key=keys.__getitem__))}
    return row


def _sort_key(node: str, links: Collection[Link], row: Mapping[str, int]) -> tuple[float, str]:
    """The mean row of its callers, then its name."""
    callers = [row[a] for a, b in links if b == node and a in row]
    return (sum(callers) / len(callers) if callers else 0.0, node)
