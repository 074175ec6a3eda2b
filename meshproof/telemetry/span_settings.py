"""The environment's settings for spans: how many are kept, and who gets copies. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from meshproof.errors import UsageError
from meshproof.telemetry.span_forwarder import SpanReceiver, to_otlp, to_zipkin
from meshproof.telemetry.span_store import AGE, LIMIT

SPANS_PATH, TRACES_PATH = "/api/v2/spans", "/v1/traces"


@dataclass(frozen=True, slots=True)
class SpanSettings:
    limit: int
    """``MESHPROOF_SPANS_MIB``: the bytes of reports that are kept."""
    age: float
    """``MESHPROOF_SPANS_MINUTES``: how long, in seconds."""
    receivers: tuple[SpanReceiver, ...] = ()
    """``ZIPKIN_URL``; ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` or ``OTEL_EXPORTER_OTLP_ENDPOINT``."""


def read(environ: Mapping[str, str]) -> SpanSettings:
    """Raises UsageError for values that are not valid."""
    receivers = []
    if url := _url(environ, "ZIPKIN_URL"):
        receivers.append(
            SpanReceiver(url if url.endswith(SPANS_PATH) else f"{url}{SPANS_PATH}", to_zipkin)
        )
    traces = _url(environ, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if not traces and (base := _url(environ, "OTEL_EXPORTER_OTLP_ENDPOINT")):
        traces = f"{base}{TRACES_PATH}"
    if traces:
        receivers.append(SpanReceiver(traces, to_otlp))
    return SpanSettings(
        limit=round(_number(environ, "MESHPROOF_SPANS_MIB", LIMIT / 2**20) * 2**20),
        age=_number(environ, "MESHPROOF_SPANS_MINUTES", AGE / 60) * 60,
        receivers=tuple(receivers),
    )


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1
    if not 0 < value < 1e9:
        raise UsageError(f"{name} is {text!r}; wanted a number above 0")
    return value


def _url(environ: Mapping[str, str], name: str) -> str:
    text = environ.get(name, "").rstrip("/")
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise UsageError(f"{name} is {text!r}; wanted a URL such as http://127.0.0.1:9411")
    return text
