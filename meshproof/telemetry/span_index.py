"""An index of the span store's reports: which traces there are, and which reports have their spans.

It is built when somebody queries, and updated from then on, so that collecting alone stays cheap.
It has a small row for each span; whole spans are read from the bodies again.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from meshproof.telemetry.span_links import Link, links
from meshproof.telemetry.span_query import Query, Term
from meshproof.telemetry.span_reports import SpanReport
from meshproof.telemetry.span_rows import Row
from meshproof.telemetry.zipkin_json import Raw

_Trace = tuple[int, tuple[Row, ...], tuple[int, ...]]
"""When it began (microseconds), its rows, and the report number of each row."""
_STEP = 64
"""How many of the newest candidates are examined first; then twice as many, and so on."""


class SpanIndex:
    """Thread-safe; every method sees what ``catch_up`` has added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._traces: dict[str, _Trace] = {}
        self._links: dict[str, tuple[Link, ...]] = {}
        """Cached for the traces that were queried since they last changed."""
        self._reports: dict[int, SpanReport] = {}
        self._names: Counter[tuple[str, str, str]] = Counter()
        """Service, span name and remote service of the indexed spans."""

    def catch_up(self, new: Iterable[SpanReport], dropped: Iterable[int]) -> None:
        """Add reports, oldest first, and forget those that the store has dropped."""
        with self._lock:
            for report in new:
                self._add(report)
                time.sleep(0)  # let the mesh's loop have the interpreter between two bodies
            for number in dropped:
                self._forget(number)

    def _add(self, report: SpanReport) -> None:
        self._reports[report.number] = report
        parts: dict[str, list[Row]] = {}
        rows = list(report.rows())
        for row in rows:
            parts.setdefault(row[0], []).append(row)
        self._names.update(row[4:7] for row in rows)
        for trace_id, more in parts.items():
            _, rows_before, numbers = self._traces.get(trace_id, (0, (), ()))
            self._set(trace_id, (*rows_before, *more), numbers + (report.number,) * len(more))

    def _set(self, trace_id: str, rows: tuple[Row, ...], numbers: tuple[int, ...]) -> None:
        self._links.pop(trace_id, None)
        if rows:
            start = min((row[7] for row in rows if row[7]), default=0)
            self._traces[trace_id] = start, rows, numbers
        else:
            del self._traces[trace_id]

    def _forget(self, number: int) -> None:
        report = self._reports.pop(number)
        dropped = list(report.rows())
        self._names.subtract(row[4:7] for row in dropped)
        for name in {row[4:7] for row in dropped}:
            if not self._names[name]:
                del self._names[name]
        for trace_id in {row[0] for row in dropped}:
            _, rows, numbers = self._traces[trace_id]
            self._set(
                trace_id,
                tuple(r for r, n in zip(rows, numbers, strict=True) if n != number),
                tuple(n for n in numbers if n != number),
            )

    # -- questions -----------------------------------------------------------------------------

    def trace(self, trace_id: str) -> list[Raw]:
        """Every span of a trace, whole; empty for an unknown trace. An id of 16 digits also finds a
        trace whose 32 digits end with it, as in Zipkin without strict ids."""
        with self._lock:
            if trace_id not in self._traces and len(trace_id) == 16:
                trace_id = next((t for t in self._traces if t.endswith(trace_id)), trace_id)
            return self._whole([trace_id]).get(trace_id, [])

    def search(self, query: Query) -> list[list[Raw]]:
        """The newest traces that match, newest first."""
        with self._lock:
            in_time = [(t[0], i) for i, t in self._traces.items() if query.in_time(t[0])]
            in_time.sort(reverse=True)
            matches: list[str] = []
            tags = _TagSearch(query, self._reports)
            begin, step = 0, _STEP
            while begin < len(in_time) and len(matches) < query.limit:
                ids = [i for _, i in in_time[begin : begin + step]]
                candidates = [i for i in ids if query.matches_rows(self._traces[i][1])]
                matches += tags.select(candidates, self._traces) if query.terms else candidates
                begin, step = begin + step, step * 2
                time.sleep(0)
            return list(self._whole(matches[: query.limit]).values())

    def _whole(self, ids: Sequence[str]) -> dict[str, list[Raw]]:
        """Trace id -> its spans by start, in the order of ``ids``; each body is read once."""
        traces: dict[str, list[Raw]] = {i: [] for i in ids if i in self._traces}
        for number in sorted({n for i in traces for n in self._traces[i][2]}):
            for span in self._reports[number].spans(traces.keys()):
                traces[span["traceId"]].append(span)
        for spans in traces.values():
            spans.sort(key=lambda span: span.get("timestamp", 0))
        return traces

    def services(self) -> list[str]:
        with self._lock:
            return sorted({service for service, _, _ in self._names if service})

    def names(self, service: str) -> list[str]:
        """The names of a service's spans."""
        with self._lock:
            return sorted({n for s, n, _ in self._names if n and s.lower() == service.lower()})

    def remotes(self, service: str) -> list[str]:
        """The remote services of a service's spans."""
        with self._lock:
            return sorted({r for s, _, r in self._names if r and s.lower() == service.lower()})

    def dependencies(self, end: int, lookback: int) -> list[dict[str, str | int]]:
        """Zipkin's links of traces that began within ``lookback`` before ``end``
        (microseconds)."""
        calls: Counter[tuple[str, str]] = Counter()
        errors: Counter[tuple[str, str]] = Counter()
        with self._lock:
            for trace_id, (start, rows, _) in self._traces.items():
                if end - lookback <= start <= end:
                    for caller, callee, failed in self._links_of(trace_id, rows):
                        calls[caller, callee] += 1
                        errors[caller, callee] += failed
        return [
            {"parent": link[0], "child": link[1], "callCount": count, **_errors(errors[link])}
            for link, count in sorted(calls.items())
        ]

    def _links_of(self, trace_id: str, rows: tuple[Row, ...]) -> tuple[Link, ...]:
        if trace_id not in self._links:
            self._links[trace_id] = links(rows)
        return self._links[trace_id]


def _errors(count: int) -> dict[str, int]:
    """Zipkin leaves a count of 0 out."""
    return {"errorCount": count} if count else {}


class _TagSearch:
    """Finds the traces that match every term of a query. Each body is read once at most, and not at
    all if its bytes do not contain the term."""

    def __init__(self, query: Query, reports: dict[int, SpanReport]) -> None:
        self._query, self._reports = query, reports
        self._matches: dict[int, dict[str, set[Term]]] = {}

    def select(self, ids: Iterable[str], traces: dict[str, _Trace]) -> list[str]:
        """Those of ``ids`` that match, in the same order."""
        every = set(self._query.terms)
        selected = []
        for trace_id in ids:
            terms: set[Term] = set()
            for number in set(traces[trace_id][2]):
                terms |= self._search(number).get(trace_id, set())
            if terms == every:
                selected.append(trace_id)
        return selected

    def _search(self, number: int) -> dict[str, set[Term]]:
        if number not in self._matches:
            matches: dict[str, set[Term]] = {}
            for trace_id, term in self._reports[number].tagged(self._query):
                matches.setdefault(trace_id, set()).add(term)
            self._matches[number] = matches
        return self._matches[number]
