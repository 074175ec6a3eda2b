"""A service's own spans through OpenTelemetry: one for each request, one for each call it makes.

They stand between the sidecar's two: the request's is beneath the sidecar's SERVER span, by the
headers that it sent (B3, else W3C), and the call's is above the sidecar's CLIENT span, because the
call carries its ids in both forms. With FORWARD_TRACE_HEADERS=off calls carry none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from services.common.logs import PROBES
from services.common.propagation import RUN_ID, Incoming, read_trace
from services.common.settings import CommonSettings

_EVERY_MS = 500
"""How soon a finished span leaves, as those of the sidecars do."""
_CONTRADICTING = ("x-b3-parentspanid", "b3", "tracestate")
"""What would contradict the ids of our own span."""


class OpenTelemetry:
    """One tracer of one service; safe to share between threads."""

    def __init__(self, provider: TracerProvider, *, forward: bool) -> None:
        self.provider, self._forward = provider, forward
        self._tracer = provider.get_tracer("services")

    def begin(self) -> None:
        """Start the span of the request that Flask is about to handle."""
        parent = trace.set_span_in_context(trace.NonRecordingSpan(_caller(request.headers)))
        g.span = self._tracer.start_span(
            f"{request.method} {request.url_rule.rule if request.url_rule else request.path}",
            parent,
            trace.SpanKind.SERVER,
            {"http.method": request.method, "run_id": request.headers.get(RUN_ID, "")},
        )
        g.span_token = context.attach(trace.set_span_in_context(g.span))

    def end(self, response: Response) -> Response:
        if hasattr(g, "span"):
            g.span.set_attribute("http.status_code", str(response.status_code))
            if response.status_code >= 500:
                g.span.set_status(trace.StatusCode.ERROR)
            context.detach(g.span_token)
            g.span.end()
        return response

    @contextmanager
    def calling(
        self, url: str, path: str, headers: Mapping[str, str]
    ) -> Iterator[Mapping[str, str]]:
        attributes = {"http.url": f"{url}{path}", "run_id": headers.get(RUN_ID, "")}
        with self._tracer.start_as_current_span(
            f"GET {path}", kind=trace.SpanKind.CLIENT, attributes=attributes
        ) as span:
            yield self._with_ids(headers, span.get_span_context()) if self._forward else headers

    @staticmethod
    def _with_ids(headers: Mapping[str, str], ids: trace.SpanContext) -> dict[str, str]:
        span_id, trace_id = f"{ids.span_id:016x}", f"{ids.trace_id:032x}"
        return {
            **{name: value for name, value in headers.items() if name not in _CONTRADICTING},
            "x-b3-traceid": trace_id,
            "x-b3-spanid": span_id,
            "x-b3-sampled": "1" if ids.trace_flags.sampled else "0",
            "traceparent": f"00-{trace_id}-{span_id}-{int(ids.trace_flags):02x}",
        }


def _caller(headers: Incoming) -> trace.SpanContext:
    """The span that sent this request; invalid where no header names one."""
    caller = read_trace(headers)
    sampled = headers.get("x-b3-sampled", "1") != "0"
    return trace.SpanContext(
        int(caller.trace_id or "0", 16),
        int(caller.span_id or "0", 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED if sampled else 0),
    )


def install(app: Flask, settings: CommonSettings) -> OpenTelemetry:
    """Trace every request of ``app`` except probes and scrapes; a ``tracing.Tracing``."""
    # Reports go straight to the collector: the sidecar would need a rule for them.
    host = urlsplit(settings.spans_to).hostname or ""
    os.environ["no_proxy"] = ",".join(filter(None, (os.environ.get("no_proxy", ""), host)))
    about = {"service.name": settings.service, "service.version": settings.version}
    provider = TracerProvider(resource=Resource.create({**about, **_service_name()}))
    exporter = OTLPSpanExporter(endpoint=settings.spans_to)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_EVERY_MS))
    tracing = OpenTelemetry(provider, forward=settings.forward_trace_headers)

    @app.before_request
    def begin() -> None:
        if request.path not in PROBES:
            tracing.begin()

    app.after_request(tracing.end)
    return tracing


def _service_name() -> dict[str, str]:
    """``OTEL_SERVICE_NAME`` wins, as everywhere."""
    name = os.environ.get("OTEL_SERVICE_NAME", "")
    return {"service.name": name} if name else {}
