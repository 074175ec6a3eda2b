"""One body of spans as it was posted: it is parsed only when somebody queries."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from meshproof.mesh import Span
from meshproof.telemetry.span_query import Query, Term
from meshproof.telemetry.span_rows import Row, row_of
from meshproof.telemetry.zipkin_json import Raw, service, to_span

Form = Literal["json", "envoy"]
"""``json``: a list of Zipkin v2 spans. ``envoy``: the protobuf of an Envoy of this machine."""


@dataclass(frozen=True, slots=True)
class SpanReport:
    number: int
    """Increases with every report of a store."""
    form: Form
    body: bytes
    at: float
    """When it arrived, on the monotonic clock."""

    def may_contain(self, text: bytes) -> bool:
        """False only if the text is certainly not in it. JSON can escape characters, so that only
        a plain text can be ruled out."""
        return text in self.body or (self.form == "json" and not _is_plain(text))

    def of_run(self, run_id: str) -> Iterator[Span]:
        """The spans that carry the run id in their ``run_id`` tag."""
        if self.may_contain(run_id.encode()):
            yield from (span for span in self._all() if span.tags.get("run_id") == run_id)

    def _all(self) -> Iterator[Span]:
        if self.form == "json":
            return map(to_span, json.loads(self.body))
        from meshproof.telemetry import zipkin_proto  # noqa: PLC0415  # only where spans are read

        return zipkin_proto.read(self.body)

    def spans(self, traces: Collection[str] | None) -> Iterator[Raw]:
        """The whole spans of some traces, or of all."""
        if self.form == "json":
            spans = json.loads(self.body)
            return (s for s in spans if traces is None or s["traceId"] in traces)
        from meshproof.telemetry import zipkin_proto  # noqa: PLC0415

        return zipkin_proto.read_raw(self.body, only=traces)

    def rows(self) -> Iterator[Row]:
        """Every span as a small row."""
        if self.form == "json":
            return map(row_of, json.loads(self.body))
        from meshproof.telemetry import zipkin_proto  # noqa: PLC0415

        return zipkin_proto.rows(self.body)

    def tagged(self, query: Query) -> Iterator[tuple[str, Term]]:
        """Trace ids, each with a term of the query that one of its spans matches."""
        if self.form == "json":
            for span in json.loads(self.body):
                annotations = [a.get("value") for a in span.get("annotations") or ()]
                tags = span.get("tags") or {}
                for term in query.matching_terms(service(span), tags, annotations):
                    yield span["traceId"], term
            return
        from meshproof.telemetry import zipkin_proto  # noqa: PLC0415

        yield from zipkin_proto.tagged(self.body, query)

    def runs(self) -> set[str]:
        """The run ids in it."""
        return {run for span in self._all() if (run := span.tags.get("run_id"))}


def _is_plain(text: bytes) -> bool:
    return all(32 <= byte < 127 and byte not in b'"\\/' for byte in text)
