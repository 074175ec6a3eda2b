"""Converts OpenTelemetry's spans (OTLP over HTTP) to Zipkin's and back.

The mapping is OpenTelemetry's own for Zipkin ("OpenTelemetry to Zipkin Transformation"). The schema
is otlp.txtpb. In OTLP's JSON, ids are hexadecimal; in protobuf's usual JSON they would be base 64.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from meshproof.telemetry.proto_schema import load_messages
from meshproof.telemetry.zipkin_json import BadSpansError, Raw, service

_ID_NAMES = frozenset(
    {"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"}
)
_Request = load_messages("otlp")["ExportTraceServiceRequest"]
_INTERNAL = 1
_KINDS = {2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
_KIND_OF = {name: number for number, name in _KINDS.items()}
_OK, _ERROR = 1, 2
_PEERS = ("peer.service", "server.address", "net.peer.name")
"""Attributes that name the callee, the best first."""


def read(body: bytes, *, as_json: bool) -> list[Raw]:
    """The spans of an ExportTraceServiceRequest. Raises BadSpansError."""
    request = _Request()
    try:
        if as_json:
            content = json.loads(body)
            if not isinstance(content, dict):
                raise ValueError("it is no object")
            json_format.ParseDict(_hex_to_base64(content), request, True)
        else:
            request.ParseFromString(body)
    except (DecodeError, json_format.ParseError, ValueError) as error:
        raise BadSpansError(f"the body is not an ExportTraceServiceRequest: {error}") from None
    return [
        _to_zipkin(span, resource, scope.scope)
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


def _to_zipkin(span: Any, resource: Any, scope: Any) -> Raw:
    if len(span.trace_id) != 16 or len(span.span_id) != 8:
        raise BadSpansError(f"the span {span.name!r} has no trace id of 16 bytes, or no id of 8")
    resource_attributes = _texts(resource.resource.attributes)
    tags = _texts(span.attributes)
    zipkin: Raw = {
        "traceId": span.trace_id.hex(),
        "parentId": span.parent_span_id.hex(),
        "id": span.span_id.hex(),
        "kind": _KINDS.get(span.kind, ""),
        "name": span.name,
        "timestamp": span.start_time_unix_nano // 1000,
        "duration": max(1, (span.end_time_unix_nano - span.start_time_unix_nano) // 1000),
        "localEndpoint": {
            "serviceName": resource_attributes.get("service.name", "unknown_service")
        },
        "annotations": [
            {"timestamp": e.time_unix_nano // 1000, "value": _event(e)} for e in span.events
        ],
        "tags": {**tags, **_scope(scope), **_status(span.status)},
    }
    peer = next((tags[name] for name in _PEERS if tags.get(name)), "")
    if peer and zipkin["kind"] in ("CLIENT", "PRODUCER"):
        zipkin["remoteEndpoint"] = {"serviceName": peer}
    return {name: value for name, value in zipkin.items() if value}


def _scope(scope: Any) -> dict[str, str]:
    tags = {"otel.scope.name": scope.name, "otel.scope.version": scope.version}
    return {name: value for name, value in tags.items() if value}


def _status(status: Any) -> dict[str, str]:
    """Zipkin recognises a failed span by the tag ``error``, whatever its value."""
    if status.code == _ERROR:
        return {"otel.status_code": "ERROR", "error": status.message or "true"}
    return {"otel.status_code": "OK"} if status.code == _OK else {}


def _event(event: Any) -> str:
    attributes = _texts(event.attributes)
    return json.dumps({event.name: attributes}) if attributes else str(event.name)


def _texts(attributes: Iterable[Any]) -> dict[str, str]:
    return {a.key: _text(a.value) for a in attributes}


def _text(value: Any) -> str:
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    if kind in ("array_value", "kvlist_value", "bytes_value"):
        return json.dumps(json_format.MessageToDict(value), separators=(",", ":"))
    content = getattr(value, kind)
    return str(content).lower() if isinstance(content, bool) else str(content)


def write(spans: Iterable[Raw]) -> bytes:
    """The spans as an ExportTraceServiceRequest, with a resource for each service."""
    request = _Request()
    scopes: dict[str, Any] = {}
    for raw in spans:
        name = service(raw)
        if name not in scopes:
            resource = request.resource_spans.add()
            resource.resource.attributes.add(key="service.name").value.string_value = name
            scopes[name] = resource.scope_spans.add()
            scopes[name].scope.name = "meshproof"
        _fill(scopes[name].spans.add(), raw)
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
