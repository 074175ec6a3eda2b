"""The two traces of a run that say most: a typical one, and the slowest. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from meshproof.mesh import Span
from meshproof.telemetry.trace_rows import waterfall

Json = dict[str, Any]


def sample_traces(spans: Iterable[Span]) -> list[Json]:
    """``waterfall`` of each, with ``title``; only one where there is only one, none without spans.

    The typical trace is the median by duration of those with the most common number of spans.
    """
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    if not traces:
        return []
    usual = Counter(map(len, traces.values())).most_common(1)[0][0]
    alike = sorted((t for t in traces.values() if len(t) == usual), key=_seconds)
    typical, slowest = alike[(len(alike) - 1) // 2], max(traces.values(), key=_seconds)
    chosen = [("a typical trace", typical)]
    if slowest is not typical:
        chosen.append(("the slowest trace", slowest))
    return [{"title": title, **waterfall(list(map(_zipkin, trace)))} for title, trace in chosen]


def _seconds(trace: Sequence[Span]) -> float:
    return max(s.start + s.duration for s in trace) - min(s.start for s in trace)


def _zipkin(span: Span) -> Json:
    return {
        "traceId": span.trace_id,
        "id": span.span_id,
        **({"parentId": span.parent_id} if span.parent_id else {}),
        "kind": span.kind,
        "name": span.name,
        "timestamp": 1e6 * span.start,
        "duration": 1e6 * span.duration,
        "localEndpoint": {"serviceName": span.service},
        "tags": dict(span.tags),
    }
