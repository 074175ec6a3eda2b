"""HTTP connection managers: the filter that every listener has, with its tracing and access log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from meshproof.model.telemetry import CustomTag
from meshproof.translate import cors, faults
from meshproof.translate.metrics import CEL, CEL_TYPE
from meshproof.translate.proto import ADS, Json, build_any, build_extension
from meshproof.translate.telemetry import EVERYTHING, Reporting
from meshproof.translate.workload_metadata import WorkloadMetadata

Direction = Literal["outbound", "inbound", "gateway", "probe"]

ZIPKIN = "zipkin"
"""The static cluster of the span collector, and its path as Istio's zipkin provider has it."""
SPANS_PATH = "/api/v2/spans"

DOWNSTREAM_IDLE = "3600s"
"""How long a client may keep an idle connection: longer than the idle timeout of any upstream
pool of ours."""

_FILTER = "envoy.filters.network.http_connection_manager"
_HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"
_FILE_LOG = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
_ALL: Json = {"value": 100}

# The keys of meshproof.mesh.AccessRecord; numbers stay numbers.
RECORD: Mapping[str, str] = {
    "time": "%START_TIME%",
    "direction": "",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
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


def build_access_log(path: str, direction: Direction, report: Reporting = EVERYTHING) -> list[Json]:
    """One JSON line per request in the file ``path``; no log if it is empty or disabled."""
    if not path or not report.log:
        return []
    log_format = {"json_format": {**RECORD, "direction": direction}}
    log = build_extension("envoy.access_loggers.file", _FILE_LOG, path=path, log_format=log_format)
    if report.expression:
        cel = build_extension(CEL, CEL_TYPE, expression=report.expression)
        log["filter"] = {"extension_filter": cel}
    return [log]


def build_tracing(workload: WorkloadMetadata, report: Reporting = EVERYTHING) -> Json:
    """Zipkin spans of every request, tagged with the run id. The listener's traffic_direction
    makes them CLIENT (OUTBOUND) or SERVER (INBOUND) spans."""
    literals = {
        "istio.canonical_revision": workload.version,
        "istio.canonical_service": workload.app,
        "istio.namespace": workload.namespace,
    }
    tags: list[Json] = [{"tag": k, "literal": {"value": v}} for k, v in literals.items()]
    tags.append({"tag": "run_id", "request_header": {"name": "x-run-id"}})
    tags += [_custom_tag(name, tag) for name, tag in sorted((report.tags or {}).items())]
    return {
        "client_sampling": _ALL,
        "random_sampling": {"value": report.sampling},
        "overall_sampling": _ALL,
        "custom_tags": tags,
        "provider": build_extension(
            "envoy.tracers.zipkin",
            "envoy.config.trace.v3.ZipkinConfig",
            collector_cluster=ZIPKIN,
            collector_endpoint=SPANS_PATH,
            collector_endpoint_version="HTTP_PROTO",
            trace_id_128bit=True,
            shared_span_context=False,
            trace_context_option="USE_B3_WITH_W3C_PROPAGATION",
        ),
    }


def _custom_tag(name: str, tag: CustomTag) -> Json:
    if tag.literal is not None:
        return {"tag": name, "literal": {"value": tag.literal.value}}
    assert tag.header is not None, "the model wants one of literal, header"
    header: Json = {"name": tag.header.name}
    if tag.header.default_value:
        header["default_value"] = tag.header.default_value
    return {"tag": name, "request_header": header}


def build_connection_manager(
    prefix: str,
    *,
    routes: str | Json,
    logs: list[Json],
    workload: WorkloadMetadata | None = None,
    can_fault: bool = False,
    first_filters: Iterable[Json] = (),
    hide_debug_headers: bool = False,
    report: Reporting = EVERYTHING,
    **fields: object,
) -> Json:
    """The network filter. ``routes`` is an RDS name or a RouteConfiguration. Without ``workload``
    there are no spans. ``can_fault`` lets routes inject faults and answer CORS preflights.
    ``first_filters`` run before all others; ``fields`` are more fields of the filter."""
    source: Json = {"route_config": routes}
    if isinstance(routes, str):
        source = {"rds": {"route_config_name": routes, "config_source": ADS}}
    router: Json = {"suppress_envoy_headers": True} if hide_debug_headers else {}
    filters = [build_extension("envoy.filters.http.router", _ROUTER, **router)]
    if can_fault:
        filters[:0] = [build_extension(f.FILTER, f.TYPE) for f in (faults, cors)]
    filters[:0] = first_filters
    config: Json = {
        "stat_prefix": prefix,
        "codec_type": "AUTO",
        **source,
        "http_filters": filters,
        "common_http_protocol_options": {"idle_timeout": DOWNSTREAM_IDLE},
        "stream_idle_timeout": "0s",
        "drain_timeout": "1s",
        "use_remote_address": False,
        "normalize_path": True,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "access_log": logs,
        **fields,
    }
    if workload is not None and report.spans:
        config["tracing"] = build_tracing(workload, report)
    return {"name": _FILTER, "typed_config": build_any(_HCM, **config)}


def upgrade_configs(*types: str) -> list[Json]:
    return [{"upgrade_type": name} for name in types]
