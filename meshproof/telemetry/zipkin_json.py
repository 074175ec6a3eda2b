"""Zipkin's v2 spans as JSON has them: read, checked, and converted to the contract's ``Span``."""

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
    """A body is not a list of spans; the message says where, and what was expected."""


def read(body: bytes) -> list[Raw]:
    """The spans of a JSON body, checked. Raises BadSpansError."""
    try:
        spans = json.loads(body)
    except ValueError as error:
        raise BadSpansError(f"the body is not JSON: {error}; wanted a list of spans") from None
    if not isinstance(spans, list):
        raise BadSpansError(f"the body is {_shorten(spans)}; wanted a list of spans")
    return [_check(span, f"[{number}]") for number, span in enumerate(spans)]


def _check(span: Any, at: str) -> Raw:
    if not isinstance(span, dict):
        raise BadSpansError(f"{at} is {_shorten(span)}; wanted a span as an object")
    checked = dict(span)
    checked["traceId"] = trace_id(_id(span, "traceId", _TRACE_ID, at))
    checked["id"] = _id(span, "id", _SPAN_ID, at).lower().zfill(16)
    if span.get("parentId") is not None:
        checked["parentId"] = _id(span, "parentId", _SPAN_ID, at).lower().zfill(16)
    if span.get("kind") is not None and span["kind"] not in KINDS:
        raise BadSpansError(
            f"{at}.kind is {_shorten(span['kind'])}; wanted one of {', '.join(KINDS)}"
        )
    for name in ("timestamp", "duration"):
        value = span.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise BadSpansError(
                f"{at}.{name} is {_shorten(value)}; wanted microseconds as an integer"
            )
    _check_texts(span, at)
    return checked


def _check_texts(span: Raw, at: str) -> None:
    for name in ("localEndpoint", "remoteEndpoint"):
        endpoint = span.get(name)
        service = endpoint.get("serviceName") if isinstance(endpoint, dict) else None
        if not isinstance(endpoint, dict | None) or not isinstance(service, str | None):
            problem = f"{at}.{name} is {_shorten(endpoint)}"
            raise BadSpansError(f"{problem}; wanted an object with a serviceName")
    if not isinstance(span.get("name"), str | None):
        raise BadSpansError(f"{at}.name is {_shorten(span['name'])}; wanted a string")
    tags = span.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(v, str) for v in tags.values()):
        raise BadSpansError(f"{at}.tags is {_shorten(tags)}; wanted an object of strings")
    if not isinstance(span.get("annotations") or [], list):
        raise BadSpansError(f"{at}.annotations is {_shorten(span['annotations'])}; wanted a list")


def _id(span: Raw, name: str, form: re.Pattern[str], at: str) -> str:
    value = span.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise BadSpansError(f"{at}.{name} is {_shorten(value)}; wanted hexadecimal digits")
    return value


def _shorten(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def trace_id(text: str) -> str:
    """A trace id as it is stored: lower case, 16 or 32 digits."""
    return text.lower().zfill(16 if len(text) <= 16 else 32)


def service(span: Mapping[str, Any]) -> str:
    """Who made the span, or empty."""
    return (span.get("localEndpoint") or {}).get("serviceName") or ""


def remote(span: Mapping[str, Any]) -> str:
    """Who was on the other side, or empty. Envoy names nobody: then it is the host of the cluster
    that it sent the request to."""
    name: str = (span.get("remoteEndpoint") or {}).get("serviceName") or ""
    if name or span.get("kind") != "CLIENT":
        return name
    return cluster_host((span.get("tags") or {}).get("upstream_cluster", ""))


def cluster_host(cluster: str) -> str:
    """``svcb.payments`` of ``outbound|80|v0-1|svcb.payments.svc.cluster.local``, or empty: the
    service name in the spans of the callee."""
    name = ClusterName.parse(cluster)
    return name.short_host if name and name.direction == "outbound" else ""


def to_span(raw: Mapping[str, Any]) -> Span:
    """The contract's form of a span: times in seconds, empty texts for missing fields."""
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
