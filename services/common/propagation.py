"""The one place that says which headers travel on from a request to the calls it causes.

A sidecar sees two separate requests, the one that comes in and the one that goes out; only the
service can tell that they belong together, by sending these headers on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol


class Incoming(Protocol):
    """A request's headers, looked up without regard to case; a plain dict of lower-case names
    will do as well."""

    def get(self, name: str, default: str, /) -> str: ...


class Forwarded(NamedTuple):
    """A header that is sent on, and why."""

    name: str
    role: Literal["trace", "context"]
    """``trace`` is what FORWARD_TRACE_HEADERS=off holds back; ``context`` always travels."""
    reason: str


HEADERS = (
    Forwarded("x-request-id", "trace", "joins the access logs of all hops; Envoy samples by it"),
    Forwarded("traceparent", "trace", "W3C: trace id, parent span id, sampled flag"),
    Forwarded("tracestate", "trace", "W3C: vendors' own part, void without traceparent"),
    Forwarded("baggage", "trace", "W3C: values that belong to the whole trace"),
    Forwarded("x-b3-traceid", "trace", "B3: the trace that Envoy's Zipkin tracer continues"),
    Forwarded("x-b3-spanid", "trace", "B3: the span that becomes the next one's parent"),
    Forwarded("x-b3-parentspanid", "trace", "B3: the parent of that span"),
    Forwarded("x-b3-sampled", "trace", "B3: without it the next sidecar decides anew"),
    Forwarded("x-b3-flags", "trace", "B3: 1 is debug, sampled whatever the rate"),
    Forwarded("b3", "trace", "B3 in one header, for clients that send that form"),
    Forwarded("x-run-id", "context", "tells one proof's requests from all others, in every store"),
    Forwarded("end-user", "context", "rules route by it, also beyond the first service"),
)

RUN_ID = "x-run-id"

_TRACE_ID = re.compile(r"(?:[0-9a-f]{16}|[0-9a-f]{32})\Z")
_SPAN_ID = re.compile(r"[0-9a-f]{16}\Z")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-|\Z)")


@dataclass(frozen=True, slots=True)
class Trace:
    """Whom a request belongs to, as its headers say; empty texts where they do not."""

    trace_id: str = ""
    span_id: str = ""
    """The span that made this request."""
    parent_span_id: str = ""
    """That span's parent; W3C does not tell it."""


class Propagation:
    """Picks from a request's headers those that its calls take along."""

    def __init__(self, *, forward_trace_headers: bool) -> None:
        self._names = tuple(
            header.name for header in HEADERS if forward_trace_headers or header.role == "context"
        )

    def outgoing(self, incoming: Incoming) -> dict[str, str]:
        """Headers for an upstream call; a header that did not come in is not made up."""
        return {name: value for name in self._names if (value := incoming.get(name, ""))}


def read_trace(headers: Incoming) -> Trace:
    """B3 first (it is what the mesh's Zipkin tracer writes), then B3 single, then W3C."""
    trace_id = headers.get("x-b3-traceid", "").lower()
    if _TRACE_ID.match(trace_id):
        return Trace(
            trace_id,
            _span(headers.get("x-b3-spanid", "")),
            _span(headers.get("x-b3-parentspanid", "")),
        )
    single = headers.get("b3", "").lower().split("-")
    if len(single) > 1 and _TRACE_ID.match(single[0]):
        return Trace(single[0], _span(single[1]), _span(single[3]) if len(single) > 3 else "")
    w3c = _TRACEPARENT.match(headers.get("traceparent", "").lower())
    return Trace(w3c.group(1), w3c.group(2)) if w3c else Trace()


def _span(value: str) -> str:
    value = value.lower()
    return value if _SPAN_ID.match(value) else ""
