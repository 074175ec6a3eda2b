"""The spans of one trace, each beneath its parent. Pure.

Spans are Zipkin v2's JSON: times in microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meshproof.telemetry.zipkin_json import Raw


def start(span: Raw) -> int:
    """Microseconds since 1970; 0 where it does not say."""
    return int(span.get("timestamp") or 0)


def tree(spans: Sequence[Raw]) -> Iterator[tuple[int, Raw]]:
    """Depth and span, by time, each once. Client and server of one call may share an id: then the
    server's is beneath, and what it caused beneath that. One whose parent is not there is a root,
    and so is the first of those that name each other in a circle."""
    calls: dict[str, list[Raw]] = {}
    for span in sorted(spans, key=start):
        calls.setdefault(span["id"], []).append(span)
    callees: dict[str, list[str]] = {}
    for own, call in calls.items():
        call.sort(key=lambda span: span.get("kind") == "SERVER")
        above = call[0].get("parentId") or ""
        callees.setdefault(above if above in calls and above != own else "", []).append(own)
    shown: set[str] = set()
    for root in (*callees.get("", ()), *calls):
        waiting = [(0, root)]
        while waiting:
            depth, own = waiting.pop()
            if own in shown:
                continue
            shown.add(own)
            for step, span in enumerate(calls[own]):
                yield depth + step, span
            below = depth + len(calls[own])
            waiting += [(below, callee) for callee in reversed(callees.get(own, ()))]
