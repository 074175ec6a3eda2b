"""A trace as text: each span beneath its parent, with a bar on the time axis. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.telemetry.span_tree import start, tree
from meshproof.telemetry.zipkin_json import Raw, service

WIDTH = 40
HEADERS = ("Service", "Kind", "Name", "Time", "Start", "Duration", "Status")
SUMMARY = ("Trace", "Begin", "Duration", "Spans", "Errors", "Status", "Name")


def rows(spans: Sequence[Raw]) -> list[tuple[str, ...]]:
    """A row with ``HEADERS`` for each span of one trace in Zipkin's JSON."""
    begin, length = extent(spans)
    return [_row(depth, span, begin, length) for depth, span in tree(spans)]


def extent(spans: Sequence[Raw]) -> tuple[int, int]:
    """When a trace began, and how long it took, in microseconds."""
    begin = min(start(s) for s in spans)
    return begin, max(start(s) + s.get("duration", 0) for s in spans) - begin


def _row(depth: int, span: Raw, begin: int, length: int) -> tuple[str, ...]:
    offset, duration = start(span) - begin, span.get("duration", 0)
    return (
        "  " * depth + service(span),
        span.get("kind", ""),
        span.get("name", ""),
        bar(offset, duration, length),
        f"{offset / 1000:.1f} ms",
        f"{duration / 1000:.1f} ms",
        status(span),
    )


def bar(offset: int, duration: int, length: int) -> str:
    """``WIDTH`` characters for the whole trace; a span has at least one."""
    if length <= 0:
        return "=" * WIDTH
    first = min(WIDTH - 1, offset * WIDTH // length)
    last = max(first + 1, round((offset + duration) * WIDTH / length))
    return ("." * first + "=" * (last - first)).ljust(WIDTH, ".")


def status(span: Raw) -> str:
    """The HTTP status, or ``error`` for a failure without one."""
    tags = span.get("tags") or {}
    return tags.get("http.status_code") or ("error" if "error" in tags else "-")


def summary(spans: Sequence[Raw], clock: str) -> tuple[str, ...]:
    """A row with ``SUMMARY`` for a trace; ``clock`` is its formatted start."""
    _, length = extent(spans)
    (_, root), *_ = tree(spans)
    errors = sum("error" in (s.get("tags") or {}) for s in spans)
    return (
        root["traceId"],
        clock,
        f"{length / 1000:.1f} ms",
        str(len(spans)),
        str(errors),
        status(root),
        f"{service(root)} {root.get('name', '')}",
    )
