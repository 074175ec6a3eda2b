"""Where nodes of a small directed graph stand: columns by distance, rows by their callers. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

Way = tuple[str, str]


def columns(
    nodes: Sequence[str], ways: Collection[Way], *, first: str, last: Collection[str]
) -> dict[str, int]:
    """Node -> column from 0: ``first`` alone in 0, ``last`` behind all, the others one further
    than whoever calls them first. Cycles do not matter; who is called by nobody stands in 1."""
    found = {first: 0}
    waiting = [first]
    inner = {node for node in nodes if node != first and node not in last}
    while waiting or inner - set(found):
        if not waiting:
            free = [n for n in nodes if n in inner - set(found)]
            roots = [n for n in free if not any(b == n and a != n for a, b in ways)]
            waiting = (roots or free)[:1]
            found[waiting[0]] = 1
        near = waiting.pop(0)
        for source, target in sorted(ways):
            if source == near and target in inner and target not in found:
                found[target] = found[near] + 1
                waiting.append(target)
    end = max(found.values()) + 1
    return {node: found.get(node, end) for node in nodes}


def rows(column: Mapping[str, int], ways: Collection[Way]) -> dict[str, int]:
    """Node -> row from 0 inside its column: in the order of their callers' rows, then by name."""
    found: dict[str, int] = {}
    for number in sorted(set(column.values())):
        here = [node for node, c in column.items() if c == number]
        places = {node: _place(node, ways, found) for node in here}
        found |= {node: row for row, node in enumerate(sorted(here, key=places.__getitem__))}
    return found


def _place(node: str, ways: Collection[Way], found: Mapping[str, int]) -> tuple[float, str]:
    """The mean row of its callers, then its name."""
    callers = [found[a] for a, b in ways if b == node and a in found]
    return (sum(callers) / len(callers) if callers else 0.0, node)
