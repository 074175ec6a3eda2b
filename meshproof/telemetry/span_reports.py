"""One body of spans, as it came: kept unread until somebody asks."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from meshproof.mesh import Span
from meshproof.telemetry.span_query import Query, Term
from meshproof.telemetry.span_rows import Row, row_of
from meshproof.telemetry.zipkin_json import Raw, service, span_of

Form = Literal["json", "envoy"]
"""``json``: a list of Zipkin v2 spans. ``envoy``: the protobuf of an Envoy of this machine."""


@dataclass(frozen=True, slots=True)
class SpanReport:
    number: int
    """Counts up; no two reports of a store share one."""
    form: Form
    body: bytes
    at: float
    """When it came, on the monotonic clock."""

    def may_hold(self, word: bytes) -> bool:
        """Whether a text may stand in it; never False where it does. JSON may write characters
        in more than one way, so it is only told for plain ones."""
        return word in self.body or (self.form == "json" and not _plain(word))

    def of_run(self, run_id: str) -> Iterator[Span]:
        """The spans that carry the run id in their ``run_id`` tag."""
        if self.may_hold(run_id.encode()):
            yield from (span for span in self._all() if span.tags.get("run_id") == run_id)

    def _all(self) -> Iterator[Span]:
        if self.form == "json":
            return map(span_of, json.loads(self.body))
        from meshproof.telemetry import zipkin_proto  # noqa: PLC0415  # only where spans are read

        return zipkin_proto.read(self.body)

    def spans(self, traces: Collection[str] | None) -> Iterator[Raw]:
        """The spans of some traces, or of all, whole."""
        if self.form == "json":
            found = json.loads(self.body)
            return (s for s in found if traces is None or s["traceId"] in traces)
        from meshproof.telemetry import zipkin_proto  # noqa: PLC0415

        return zipkin_proto.read_raw(self.body, only=traces)

    def rows(self) -> Iterator[Row]:
        """Every span of it, small."""
        if self.form == "json":
            return map(row_of, json.loads(self.body))
        from meshproof.telemetry import zipkin_proto  # noqa: PLC0415

        return zipkin_proto.rows(self.body)

    def tagged(self, query: Query) -> Iterator[tuple[str, Term]]:
        """Trace ids, and a term of the query that a span of each meets."""
        if self.form == "json":
            for span in json.loads(self.body):
                said = [a.get("value") for a in span.get("annotations") or ()]
                for term in query.held_by(service(span), span.get("tags") or {}, said):
                    yield span["traceId"], term
            return
        from meshproof.telemetry import zipkin_proto  # noqa: PLC0415

        yield from zipkin_proto.tagged(self.body, query)

    def runs(self) -> set[str]:
        """The run ids in it."""
        return {run for span in self._all() if (run := span.tags.get("run_id"))}


def _plain(word: bytes) -> bool:
    return all(32 <= byte < 127 and byte not in b'"\\/' for byte in word)
