"""OpenTelemetry's spans become Zipkin's as its own specification has it, and go back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import json_format

from meshproof.telemetry import otlp
from meshproof.telemetry.zipkin_json import BadSpansError

TRACE, SPAN, PARENT = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"


def request(**fields: Any) -> dict[str, Any]:
    """OTLP's JSON: the specification's own example, shortened."""
    span = {
        "traceId": TRACE,
        "spanId": SPAN,
        "parentSpanId": PARENT,
        "name": "notify",
        "kind": 3,
        "startTimeUnixNano": "1544712660000000000",
        "endTimeUnixNano": "1544712661000005000",
        "attributes": [
            {"key": "peer.service", "value": {"stringValue": "svcb"}},
            {"key": "retries", "value": {"intValue": "2"}},
            {"key": "ok", "value": {"boolValue": True}},
            {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a"}]}}},
        ],
        "events": [{"timeUnixNano": "1544712660500000000", "name": "again"}],
        **fields,
    }
    about = {"attributes": [{"key": "service.name", "value": {"stringValue": "svca.payments"}}]}
    scope = {"scope": {"name": "services"}, "spans": [span]}
    return {"resourceSpans": [{"resource": about, "scopeSpans": [scope]}]}


def test_json_becomes_zipkins() -> None:
    (span,) = otlp.read(json.dumps(request()).encode(), as_json=True)
    assert span == {
        "traceId": TRACE,
        "id": SPAN,
        "parentId": PARENT,
        "kind": "CLIENT",
        "name": "notify",
        "timestamp": 1544712660000000,
        "duration": 1000005,
        "localEndpoint": {"serviceName": "svca.payments"},
        "remoteEndpoint": {"serviceName": "svcb"},
        "annotations": [{"timestamp": 1544712660500000, "value": "again"}],
        "tags": {
            "peer.service": "svcb",
            "retries": "2",
            "ok": "true",
            "list": '{"arrayValue":{"values":[{"stringValue":"a"}]}}',
            "otel.scope.name": "services",
        },
    }


def test_protobuf_says_the_same() -> None:
    (from_json,) = otlp.read(json.dumps(request()).encode(), as_json=True)
    body = otlp.write([from_json])
    (back,) = otlp.read(body, as_json=False)
    rest = {k: v for k, v in back.items() if k != "tags"}
    assert rest == {k: v for k, v in from_json.items() if k != "tags"}
    assert back["tags"] == {**from_json["tags"], "otel.scope.name": "meshproof"}


@pytest.mark.parametrize(
    ("status", "tags"),
    [
        ({}, {}),
        ({"code": 1}, {"otel.status_code": "OK"}),
        ({"code": 2}, {"otel.status_code": "ERROR", "error": "true"}),
        ({"code": 2, "message": "no way"}, {"otel.status_code": "ERROR", "error": "no way"}),
    ],
)
def test_a_failed_span_has_an_error(status: dict[str, Any], tags: dict[str, str]) -> None:
    (span,) = otlp.read(json.dumps(request(status=status, attributes=[])).encode(), as_json=True)
    assert span["tags"] == {"otel.scope.name": "services", **tags}


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"resourceSpans": 5}'])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadSpansError, match="not an ExportTraceServiceRequest"):
        otlp.read(body, as_json=True)
    with pytest.raises(BadSpansError, match="not an ExportTraceServiceRequest"):
        otlp.read(b"\xff" + body, as_json=False)


def test_a_span_without_ids_is_refused_by_its_name() -> None:
    with pytest.raises(BadSpansError, match="the span 'notify' has no trace id of 16 bytes"):
        otlp.read(json.dumps(request(traceId="")).encode(), as_json=True)


def test_a_service_s_spans_share_a_resource() -> None:
    spans = [
        {"traceId": "a" * 32, "id": f"{n:016x}", "localEndpoint": {"serviceName": name}}
        for n, name in enumerate(("a", "b", "a"), 1)
    ]
    request = otlp._Request.FromString(otlp.write(spans))
    assert [len(r.scope_spans[0].spans) for r in request.resource_spans] == [2, 1]
    assert "service.name" in json_format.MessageToJson(request)
