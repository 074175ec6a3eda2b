"""Access logs of every listener: the mesh's own, and those of Telemetry's providers.

Forms that providers leave out are Istio's (pilot/pkg/model/telemetry_logging.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from meshproof.model.extension_providers import LogFormat
from meshproof.translate.metrics import CEL, CEL_TYPE
from meshproof.translate.proto import Json, build_any, build_extension
from meshproof.translate.telemetry import EVERYTHING, FormattedLog, RemoteLog, Reporting

Direction = Literal["outbound", "inbound", "gateway", "probe"]
_FILE_LOG = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
_OTEL = "envoy.access_loggers.open_telemetry"
_OTEL_TYPE = "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig"
_REQ_WITHOUT_QUERY = "envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery"
_OTEL_NAME = "otel_envoy_accesslog"

# The keys of meshproof.mesh.AccessRecord; numbers stay numbers.
RECORD: Mapping[str, str] = {
    "time": "%START_TIME%",
    "direction": "",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "final_path": "%REQ(:PATH)%",
    "authority": "%REQ(:AUTHORITY)%",
    "protocol": "%PROTOCOL%",
    "code": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "upstream_failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "upstream_host": "%UPSTREAM_HOST%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "downstream_remote": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "route": "%ROUTE_NAME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "trace_id": "%TRACE_ID%",
    "run_id": "%REQ(X-RUN-ID)%",
    "user_agent": "%REQ(USER-AGENT)%",
}


_LABELS: Mapping[str, str] = {
    "start_time": "%START_TIME%",
    "route_name": "%ROUTE_NAME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}
_QUOTED = frozenset(
    (
        *("upstream_transport_failure_reason", "x_forwarded_for", "user_agent", "request_id"),
        *("authority", "upstream_host"),
    )
)
_TEXT_ORDER = (
    *("response_code", "response_flags", "response_code_details"),
    *("connection_termination_details", "upstream_transport_failure_reason", "bytes_received"),
    *("bytes_sent", "duration", "upstream_service_time", "x_forwarded_for", "user_agent"),
    *("request_id", "authority", "upstream_host", "upstream_cluster", "upstream_local_address"),
    *("downstream_local_address", "downstream_remote_address", "requested_server_name"),
    "route_name",
)


def _istio_text() -> str:
    """Istio's own line: time and request, then the fields in order."""
    request = " ".join(_LABELS[name] for name in ("method", "path", "protocol"))
    fields = (f'"{_LABELS[n]}"' if n in _QUOTED else _LABELS[n] for n in _TEXT_ORDER)
    return f'[{_LABELS["start_time"]}] "{request}" {" ".join(fields)}'


def build_access_log(path: str, direction: Direction, report: Reporting = EVERYTHING) -> list[Json]:
    """The mesh's own log, one JSON line a request in the file ``path``, unless that is empty or the
    log is disabled; then the further ones."""
    logs = []
    if path and report.log:
        own = {"json_format": {**RECORD, "direction": direction}}
        logs.append(_file_log(path, own, report.expression))
    return [*logs, *map(_further_log, report.further_logs)]


def _further_log(log: FormattedLog | RemoteLog) -> Json:
    if isinstance(log, RemoteLog):
        return _with_filter(_otel_log(log), log.expression)
    return _file_log(log.path, _format(log.format, omit_empty=log.omit_empty), log.expression)


def _file_log(path: str, form: Json, expression: str) -> Json:
    log = build_extension("envoy.access_loggers.file", _FILE_LOG, path=path, log_format=form)
    return _with_filter(log, expression)


def _with_filter(log: Json, expression: str) -> Json:
    if not expression:
        return log
    cel = build_extension(CEL, CEL_TYPE, expression=expression)
    return {**log, "filter": {"extension_filter": cel}}


def _format(form: LogFormat, *, omit_empty: bool) -> Json:
    """A SubstitutionFormatString; a text is a line of its own."""
    if form.labels is not None:
        result: Json = {"json_format": form.labels or dict(_LABELS)}
    else:
        text = form.text or _istio_text()
        line = text if text.endswith("\n") else f"{text}\n"
        result = {"text_format_source": {"inline_string": line}}
    if omit_empty:
        result["omit_empty_values"] = True
    return result | _formatters(str(form.labels or form.text))


def _formatters(text: str) -> Json:
    if "%REQ_WITHOUT_QUERY" not in text:
        return {}
    extension = build_extension("envoy.formatter.req_without_query", _REQ_WITHOUT_QUERY)
    return {"formatters": [extension]}


def _otel_log(log: RemoteLog) -> Json:
    spec = log.provider.spec.envoy_otel_als
    assert spec is not None, "a remote log is of such a provider"
    form = spec.log_format
    text = (form.text if form else "") or f"{_istio_text()}\n"
    labels = form.labels if form else {}
    service = {"cluster_name": log.provider.cluster, "authority": log.provider.host}
    config = build_any(
        _OTEL_TYPE,
        common_config={
            "log_name": spec.log_name or _OTEL_NAME,
            "grpc_service": {"envoy_grpc": service},
            "transport_api_version": "V3",
        },
        disable_builtin_labels=True,
        body={"string_value": text},
        **_formatters(f"{text}{labels}"),
    )
    if labels:
        values = [{"key": k, "value": {"string_value": v}} for k, v in sorted(labels.items())]
        config["attributes"] = {"values": values}
    return {"name": _OTEL, "typed_config": config}
