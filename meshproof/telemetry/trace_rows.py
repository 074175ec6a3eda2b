"""Traces as pages show them: a summary for the list, and the rows of a waterfall. Pure.

Spans are Zipkin v2's JSON: times in microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meshproof.telemetry.span_tree import start, tree
from meshproof.telemetry.zipkin_json import service

Json = dict[str, Any]


def summary(trace: Sequence[Json]) -> Json:
    """One trace in a list: its first span, its duration, and the services that took part."""
    spans = sorted(trace, key=start)
    first = spans[0]
    end = max(start(span) + span.get("duration", 0) for span in spans)
    return {
        "id": first["traceId"],
        "at": start(first) / 1e6,
        "milliseconds": (end - start(first)) / 1e3,
        "service": _service(first),
        "name": _title(first),
        "spans": len(spans),
        "failed": sum(_failed(span) for span in spans),
        "services": sorted({_service(span) for span in spans}),
    }


def waterfall(trace: Sequence[Json]) -> Json:
    """Rows in the order of the tree, each with its depth, start and duration (milliseconds)."""
    spans = sorted(trace, key=start)
    zero = start(spans[0])
    return {**summary(trace), "rows": [_row(depth, span, zero) for depth, span in tree(spans)]}


def _row(depth: int, span: Json, zero: float) -> Json:
    return {
        "depth": depth,
        "service": _service(span),
        "kind": span.get("kind", ""),
        "name": _title(span),
        "start": (start(span) - zero) / 1e3,
        "milliseconds": span.get("duration", 0) / 1e3,
        "status": span.get("tags", {}).get("http.status_code", ""),
        "failed": _failed(span),
        "tags": dict(sorted(span.get("tags", {}).items())),
    }


def _service(span: Json) -> str:
    return service(span) or "unknown"


def _title(span: Json) -> str:
    """The method and path if known: Envoy names a span by its host only."""
    tags = span.get("tags", {})
    url = tags.get("http.url", "")
    path = "/" + url.partition("://")[2].partition("/")[2] if "://" in url else url
    method = tags.get("http.method", "")
    return f"{method} {path.partition('?')[0]}".strip() or str(span.get("name", ""))


def _failed(span: Json) -> bool:
    tags = span.get("tags", {})
    code = str(tags.get("http.status_code", ""))
    return "error" in tags or code == "0" or (code.isdigit() and int(code) >= 500)
