"""An index of the span store's reports: which traces there are, and where their spans stand.

It is made when somebody looks, and then kept up: collecting alone stays as cheap as it is. It holds
a small row a span; whole spans are read from the bodies again.
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
"""When it began (microseconds), its rows, and the number of the report that brought each."""
_STEP = 64
"""How many of the newest candidates are looked at first; then twice as many, and so on."""


class SpanIndex:
    """Callable from any thread; each method works on what ``catch_up`` has brought in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._traces: dict[str, _Trace] = {}
        self._links: dict[str, tuple[Link, ...]] = {}
        """Of those traces that somebody has asked about since they last changed."""
        self._reports: dict[int, SpanReport] = {}
        self._names: Counter[tuple[str, str, str]] = Counter()
        """Service, span name and remote service of the spans that are there."""

    def catch_up(self, new: Iterable[SpanReport], gone: Iterable[int]) -> None:
        """Take in reports, oldest first, and forget those that the store has given up."""
        with self._lock:
            for report in new:
                self._take(report)
                time.sleep(0)  # let the mesh's loop have the interpreter between two bodies
            for number in gone:
                self._forget(number)

    def _take(self, report: SpanReport) -> None:
        self._reports[report.number] = report
        parts: dict[str, list[Row]] = {}
        rows = list(report.rows())
        for row in rows:
            parts.setdefault(row[0], []).append(row)
        self._names.update(row[4:7] for row in rows)
        for trace_id, more in parts.items():
            _, had, numbers = self._traces.get(trace_id, (0, (), ()))
            self._set(trace_id, (*had, *more), numbers + (report.number,) * len(more))

    def _set(self, trace_id: str, rows: tuple[Row, ...], numbers: tuple[int, ...]) -> None:
        self._links.pop(trace_id, None)
        if rows:
            start = min((row[7] for row in rows if row[7]), default=0)
            self._traces[trace_id] = start, rows, numbers
        else:
            del self._traces[trace_id]

    def _forget(self, number: int) -> None:
        report = self._reports.pop(number)
        gone = list(report.rows())
        self._names.subtract(row[4:7] for row in gone)
        for name in {row[4:7] for row in gone}:
            if not self._names[name]:
                del self._names[name]
        for trace_id in {row[0] for row in gone}:
            _, rows, numbers = self._traces[trace_id]
            left = [n != number for n in numbers]
            self._set(
                trace_id,
                tuple(r for r, stays in zip(rows, left, strict=True) if stays),
                tuple(n for n in numbers if n != number),
            )

    # -- questions -----------------------------------------------------------------------------

    def trace(self, trace_id: str) -> list[Raw]:
        """Every span of a trace, whole; none where it is not there. A trace id of 16 digits also
        finds the trace of 32 that ends so, as Zipkin does where ids are not strict."""
        with self._lock:
            if trace_id not in self._traces and len(trace_id) == 16:
                trace_id = next((t for t in self._traces if t.endswith(trace_id)), trace_id)
            return self._whole([trace_id]).get(trace_id, [])

    def search(self, query: Query) -> list[list[Raw]]:
        """The newest traces that fit, newest first."""
        with self._lock:
            in_time = [(t[0], i) for i, t in self._traces.items() if query.in_time(t[0])]
            in_time.sort(reverse=True)
            found: list[str] = []
            tagged = _Tagged(query, self._reports)
            begin, step = 0, _STEP
            while begin < len(in_time) and len(found) < query.limit:
                some = [i for _, i in in_time[begin : begin + step]]
                fit = [i for i in some if query.fits(self._traces[i][1])]
                found += tagged.of(fit, self._traces) if query.terms else fit
                begin, step = begin + step, step * 2
                time.sleep(0)
            return list(self._whole(found[: query.limit]).values())

    def _whole(self, ids: Sequence[str]) -> dict[str, list[Raw]]:
        """Trace id -> its spans by start, in the order asked for; each body is read once."""
        found: dict[str, list[Raw]] = {i: [] for i in ids if i in self._traces}
        for number in sorted({n for i in found for n in self._traces[i][2]}):
            for span in self._reports[number].spans(found.keys()):
                found[span["traceId"]].append(span)
        for spans in found.values():
            spans.sort(key=lambda span: span.get("timestamp", 0))
        return found

    def services(self) -> list[str]:
        with self._lock:
            return sorted({service for service, _, _ in self._names if service})

    def names(self, service: str) -> list[str]:
        """The names of a service's spans."""
        with self._lock:
            return sorted({n for s, n, _ in self._names if n and s.lower() == service.lower()})

    def remotes(self, service: str) -> list[str]:
        """Whom a service's spans were about."""
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
    """Zipkin leaves out a count of 0."""
    return {"errorCount": count} if count else {}


class _Tagged:
    """Which traces have every term of a query; each body is looked through once at most, and not
    at all where its bytes do not hold the term."""

    def __init__(self, query: Query, reports: dict[int, SpanReport]) -> None:
        self._query, self._reports = query, reports
        self._seen: dict[int, dict[str, set[Term]]] = {}

    def of(self, ids: Iterable[str], traces: dict[str, _Trace]) -> list[str]:
        """Those of ``ids`` that have them, in the same order."""
        every = set(self._query.terms)
        found = []
        for trace_id in ids:
            has: set[Term] = set()
            for number in set(traces[trace_id][2]):
                has |= self._in(number).get(trace_id, set())
            if has == every:
                found.append(trace_id)
        return found

    def _in(self, number: int) -> dict[str, set[Term]]:
        if number not in self._seen:
            found: dict[str, set[Term]] = {}
            for trace_id, term in self._reports[number].tagged(self._query):
                found.setdefault(trace_id, set()).add(term)
            self._seen[number] = found
        return self._seen[number]
