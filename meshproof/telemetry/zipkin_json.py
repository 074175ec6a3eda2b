"""Zipkin's v2 spans as mappings, as its JSON has them: checked, and as the contract's ``Span``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from meshproof.istio_names import ClusterName
from meshproof.mesh import Span

Raw = dict[str, Any]
"""One span in Zipkin v2 terms; times in microseconds, ids in lower-case hex."""

KINDS = ("CLIENT", "SERVER", "PRODUCER", "CONSUMER")
_TRACE_ID = re.compile(r"[0-9a-fA-F]{1,32}")
_SPAN_ID = re.compile(r"[0-9a-fA-F]{1,16}")


class BadSpansError(ValueError):
    """A body is not a list of spans; the text says where and what was wanted."""


def read(body: bytes) -> list[Raw]:
    """The spans of a JSON body, checked. Raises BadSpansError."""
    try:
        spans = json.loads(body)
    except ValueError as error:
        raise BadSpansError(f"the body is no JSON: {error}; wanted a list of spans") from None
    if not isinstance(spans, list):
        raise BadSpansError(f"the body is {_said(spans)}; wanted a list of spans")
    return [_checked(span, f"[{number}]") for number, span in enumerate(spans)]


def _checked(span: Any, at: str) -> Raw:
    if not isinstance(span, dict):
        raise BadSpansError(f"{at} is {_said(span)}; wanted a span as an object")
    found = dict(span)
    found["traceId"] = trace_id(_id(span, "traceId", _TRACE_ID, at))
    found["id"] = _id(span, "id", _SPAN_ID, at).lower().zfill(16)
    if span.get("parentId") is not None:
        found["parentId"] = _id(span, "parentId", _SPAN_ID, at).lower().zfill(16)
    if span.get("kind") is not None and span["kind"] not in KINDS:
        raise BadSpansError(f"{at}.kind is {_said(span['kind'])}; wanted one of {', '.join(KINDS)}")
    for name in ("timestamp", "duration"):
        value = span.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise BadSpansError(f"{at}.{name} is {_said(value)}; wanted microseconds as an integer")
    _texts(span, at)
    return found


def _texts(span: Raw, at: str) -> None:
    for name in ("localEndpoint", "remoteEndpoint"):
        end = span.get(name)
        named = end.get("serviceName") if isinstance(end, dict) else None
        if not isinstance(end, dict | None) or not isinstance(named, str | None):
            raise BadSpansError(f"{at}.{name} is {_said(end)}; wanted an object with a serviceName")
    if not isinstance(span.get("name"), str | None):
        raise BadSpansError(f"{at}.name is {_said(span['name'])}; wanted a text")
    tags = span.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(v, str) for v in tags.values()):
        raise BadSpansError(f"{at}.tags is {_said(tags)}; wanted an object of texts")
    if not isinstance(span.get("annotations") or [], list):
        raise BadSpansError(f"{at}.annotations is {_said(span['annotations'])}; wanted a list")


def _id(span: Raw, name: str, form: re.Pattern[str], at: str) -> str:
    value = span.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise BadSpansError(f"{at}.{name} is {_said(value)}; wanted hexadecimal digits")
    return value


def _said(value: Any) -> str:
    shown = json.dumps(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


def trace_id(text: str) -> str:
    """As it is stored: lower case, 16 or 32 digits."""
    return text.lower().zfill(16 if len(text) <= 16 else 32)


def service(span: Mapping[str, Any]) -> str:
    """Who made the span, or empty."""
    return (span.get("localEndpoint") or {}).get("serviceName") or ""


def remote(span: Mapping[str, Any]) -> str:
    """Whom it was about, or empty. Envoy names none: then it is the host of the cluster that it
    sent the request to."""
    named: str = (span.get("remoteEndpoint") or {}).get("serviceName") or ""
    if named or span.get("kind") != "CLIENT":
        return named
    return cluster_host((span.get("tags") or {}).get("upstream_cluster", ""))


def cluster_host(cluster: str) -> str:
    """``svcb.payments`` of ``outbound|80|v0-1|svcb.payments.svc.cluster.local``, or empty: as the
    spans of what answers there are named."""
    name = ClusterName.parse(cluster)
    return name.short_host if name and name.direction == "outbound" else ""


def span_of(raw: Mapping[str, Any]) -> Span:
    """The contract's form of it: seconds, and empty texts for what is missing."""
    return Span(
        trace_id=raw["traceId"],
        span_id=raw["id"],
        parent_id=raw.get("parentId") or "",
        kind=raw.get("kind") or "",
        service=service(raw),
        name=raw.get("name") or "",
        start=(raw.get("timestamp") or 0) / 1e6,
        duration=(raw.get("duration") or 0) / 1e6,
        tags=raw.get("tags") or {},
    )
