"""Traces as the page shows them: a line each to choose from, one as rows of a waterfall. Pure.

Spans are Zipkin v2's JSON: times in microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]


def summary(trace: Sequence[Json]) -> Json:
    """One trace in a list: what began it, how long it took, who took part."""
    spans = sorted(trace, key=_start)
    first = spans[0]
    end = max(_start(span) + span.get("duration", 0) for span in spans)
    return {
        "id": first["traceId"],
        "at": _start(first) / 1e6,
        "milliseconds": (end - _start(first)) / 1e3,
        "service": _service(first),
        "name": _title(first),
        "spans": len(spans),
        "failed": sum(_failed(span) for span in spans),
        "services": sorted({_service(span) for span in spans}),
    }


def waterfall(trace: Sequence[Json]) -> Json:
    """Rows in the order of a tree, each with its depth and its place in time (milliseconds)."""
    spans = sorted(trace, key=_start)
    zero = _start(spans[0])
    return {**summary(trace), "rows": [_row(depth, span, zero) for depth, span in _tree(spans)]}


def _tree(spans: Sequence[Json]) -> Iterator[tuple[int, Json]]:
    """Depth and span. Client and server of one call share an id: the server's is beneath."""
    ids = {span["id"] for span in spans}
    children: dict[str, list[Json]] = {}
    for span in spans:
        parent = span.get("parentId", "")
        children.setdefault(parent if parent in ids else "", []).append(span)

    def beneath(parent: str, depth: int) -> Iterator[tuple[int, Json]]:
        same: dict[str, list[Json]] = {}
        for span in children.get(parent, ()):
            same.setdefault(span["id"], []).append(span)
        for key, group in same.items():
            ordered = sorted(group, key=lambda span: span.get("kind") == "SERVER")
            for step, span in enumerate(ordered):
                yield depth + step, span
            yield from beneath(key, depth + len(ordered))

    return beneath("", 0)


def _row(depth: int, span: Json, zero: float) -> Json:
    return {
        "depth": depth,
        "service": _service(span),
        "kind": span.get("kind", ""),
        "name": _title(span),
        "start": (_start(span) - zero) / 1e3,
        "milliseconds": span.get("duration", 0) / 1e3,
        "status": span.get("tags", {}).get("http.status_code", ""),
        "failed": _failed(span),
        "tags": dict(sorted(span.get("tags", {}).items())),
    }


def _start(span: Json) -> float:
    return float(span.get("timestamp", 0))


def _service(span: Json) -> str:
    return str((span.get("localEndpoint") or {}).get("serviceName", "")) or "unknown"


def _title(span: Json) -> str:
    """The method and path where they are known: Envoy names a span by its host alone."""
    tags = span.get("tags", {})
    url = tags.get("http.url", "")
    path = "/" + url.partition("://")[2].partition("/")[2] if "://" in url else url
    method = tags.get("http.method", "")
    return f"{method} {path.partition('?')[0]}".strip() or str(span.get("name", ""))


def _failed(span: Json) -> bool:
    tags = span.get("tags", {})
    code = str(tags.get("http.status_code", ""))
    return "error" in tags or code == "0" or (code.isdigit() and int(code) >= 500)
