"""OpenTelemetry's spans, by OTLP over HTTP, to Zipkin's and back.

The mapping is OpenTelemetry's own for Zipkin ("OpenTelemetry to Zipkin Transformation"). Of the
schema (opentelemetry-proto 1.x, stable) what is read is declared here: xds-protos carries a version
from before 1.0, and the package opentelemetry-proto would overwrite its files. In OTLP's JSON ids
are hexadecimal, other than in protobuf's.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from meshproof.telemetry.proto_schema import classes
from meshproof.telemetry.zipkin_json import BadSpansError, Raw, service

_ID_NAMES = frozenset(
    {"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"}
)
_CLASSES = classes(
    "meshproof.otlp",
    {
        "ExportTraceServiceRequest": "1 resource_spans *ResourceSpans",
        "ResourceSpans": "1 resource Resource, 2 scope_spans *ScopeSpans",
        "ScopeSpans": "1 scope Scope, 2 spans *Span",
        "Resource": "1 attributes *KeyValue",
        "Scope": "1 name string, 2 version string",
        "Span": "1 trace_id bytes, 2 span_id bytes, 4 parent_span_id bytes, 5 name string,"
        "6 kind int32, 7 start_time_unix_nano fixed64, 8 end_time_unix_nano fixed64,"
        "9 attributes *KeyValue, 11 events *Event, 15 status Status",
        "Event": "1 time_unix_nano fixed64, 2 name string, 3 attributes *KeyValue",
        "Status": "2 message string, 3 code int32",
        "KeyValue": "1 key string, 2 value AnyValue",
        "AnyValue": "1 string_value |string, 2 bool_value |bool, 3 int_value |int64,"
        "4 double_value |double, 5 array_value |ArrayValue, 6 kvlist_value |KeyValueList,"
        "7 bytes_value |bytes",
        "ArrayValue": "1 values *AnyValue",
        "KeyValueList": "1 values *KeyValue",
    },
)
_Request = _CLASSES["ExportTraceServiceRequest"]
_INTERNAL = 1
_KINDS = {2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
_KIND_OF = {name: number for number, name in _KINDS.items()}
_OK, _ERROR = 1, 2
_PEERS = ("peer.service", "server.address", "net.peer.name")
"""Attributes that name whom a call went to, the best first."""


def read(body: bytes, *, as_json: bool) -> list[Raw]:
    """The spans of an ExportTraceServiceRequest. Raises BadSpansError."""
    request = _Request()
    try:
        if as_json:
            said = json.loads(body)
            if not isinstance(said, dict):
                raise ValueError("it is no object")
            json_format.ParseDict(_hex_to_base64(said), request, True)
        else:
            request.ParseFromString(body)
    except (DecodeError, json_format.ParseError, ValueError) as error:
        raise BadSpansError(f"the body is no ExportTraceServiceRequest: {error}") from None
    return [
        _zipkin(span, resource, scope.scope)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _hex_to_base64(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _hex_to_base64(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_hex_to_base64(v) for v in value]
    if name in _ID_NAMES and isinstance(value, str):
        return binascii.b2a_base64(bytes.fromhex(value), newline=False).decode()
    return value


def _zipkin(span: Any, resource: Any, scope: Any) -> Raw:
    if len(span.trace_id) != 16 or len(span.span_id) != 8:
        raise BadSpansError(f"the span {span.name!r} has no trace id of 16 bytes, or no id of 8")
    about = _texts(resource.resource.attributes)
    tags = _texts(span.attributes)
    named = about.get("service.name", "unknown_service")
    found: Raw = {
        "traceId": span.trace_id.hex(),
        "parentId": span.parent_span_id.hex(),
        "id": span.span_id.hex(),
        "kind": _KINDS.get(span.kind, ""),
        "name": span.name,
        "timestamp": span.start_time_unix_nano // 1000,
        "duration": max(1, (span.end_time_unix_nano - span.start_time_unix_nano) // 1000),
        "localEndpoint": {"serviceName": named},
        "annotations": [
            {"timestamp": e.time_unix_nano // 1000, "value": _event(e)} for e in span.events
        ],
        "tags": {**tags, **_scope(scope), **_status(span.status)},
    }
    peer = next((tags[name] for name in _PEERS if tags.get(name)), "")
    if peer and found["kind"] in ("CLIENT", "PRODUCER"):
        found["remoteEndpoint"] = {"serviceName": peer}
    return {name: value for name, value in found.items() if value}


def _scope(scope: Any) -> dict[str, str]:
    found = {"otel.scope.name": scope.name, "otel.scope.version": scope.version}
    return {name: value for name, value in found.items() if value}


def _status(status: Any) -> dict[str, str]:
    """Zipkin knows a failed span by the tag ``error``, whatever is in it."""
    if status.code == _ERROR:
        return {"otel.status_code": "ERROR", "error": status.message or "true"}
    return {"otel.status_code": "OK"} if status.code == _OK else {}


def _event(event: Any) -> str:
    attributes = _texts(event.attributes)
    return json.dumps({event.name: attributes}) if attributes else str(event.name)


def _texts(attributes: Iterable[Any]) -> dict[str, str]:
    return {a.key: _text(a.value) for a in attributes}


def _text(value: Any) -> str:
    kind = value.WhichOneof("choice")
    if kind is None:
        return ""
    if kind in ("array_value", "kvlist_value", "bytes_value"):
        return json.dumps(json_format.MessageToDict(value), separators=(",", ":"))
    found = getattr(value, kind)
    return str(found).lower() if isinstance(found, bool) else str(found)


def write(spans: Iterable[Raw]) -> bytes:
    """The spans as an ExportTraceServiceRequest, for another's collector; a resource a service."""
    request = _Request()
    scopes: dict[str, Any] = {}
    for raw in spans:
        named = service(raw)
        if named not in scopes:
            resource = request.resource_spans.add()
            resource.resource.attributes.add(key="service.name").value.string_value = named
            scopes[named] = resource.scope_spans.add()
            scopes[named].scope.name = "meshproof"
        _fill(scopes[named].spans.add(), raw)
    data: bytes = request.SerializeToString()
    return data


def _fill(span: Any, raw: Raw) -> None:
    start = raw.get("timestamp", 0) * 1000
    span.trace_id = bytes.fromhex(raw["traceId"].zfill(32))
    span.span_id = bytes.fromhex(raw["id"])
    span.parent_span_id = bytes.fromhex(raw.get("parentId", ""))
    span.name = raw.get("name", "")
    span.kind = _KIND_OF.get(raw.get("kind", ""), _INTERNAL)
    span.start_time_unix_nano = start
    span.end_time_unix_nano = start + raw.get("duration", 0) * 1000
    tags = raw.get("tags", {})
    for key, value in tags.items():
        span.attributes.add(key=key).value.string_value = value
    for event in raw.get("annotations", ()):
        span.events.add(name=event["value"], time_unix_nano=event["timestamp"] * 1000)
    if "error" in tags:
        span.status.code = _ERROR
