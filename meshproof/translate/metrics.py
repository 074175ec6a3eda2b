"""Istio's standard metrics, counted by Envoy's stats access logger.

Envoy's plain statistics know neither the caller nor the version that answered. The access logger
``envoy.access_loggers.stats`` does. Names and labels are Istio's, so the same PromQL works on both
meshes; Envoy's Prometheus page prefixes the names: ``envoy_istio_...``, and has the labels in one
tag (``packed_labels``).

A sidecar learns the destination workload from the endpoint's metadata, and the source workload
from what the caller's proxy announces (``peer_metadata``). On a TCP port it knows the source's
identity alone, from the certificate. Anything else is ``unknown``, as in Istio.

Tunnels (CONNECT to a TCP port) become Istio's TCP metrics, counted when they end.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.telemetry import packed_labels
from meshproof.translate import peer_metadata
from meshproof.translate.proto import Json, build_extension
from meshproof.translate.telemetry_metrics import MetricOverride, MetricSettings
from meshproof.translate.workload_metadata import UNKNOWN, WorkloadMetadata

Labels = Mapping[str, str]
Metrics = Mapping[str, Json]
CEL = "envoy.access_loggers.extension_filters.cel"
CEL_TYPE = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_TYPE = "envoy.extensions.access_loggers.stats.v3.Config"


def client_metrics(workload: WorkloadMetadata, settings: MetricSettings) -> list[Json]:
    """The access logger for requests that a proxy sends."""
    return _logger({**_source_labels(workload), **_RESPONSE}, settings)


def tunnel_metrics(workload: WorkloadMetadata, settings: MetricSettings) -> list[Json]:
    """The access loggers where apps may open tunnels: for their requests, and for tunnels to TCP
    ports. Another CONNECT is not counted: the requests inside its tunnel are."""
    condition = {"header_filter": {"header": {**_CONNECT, "invert_match": True}}}
    requests = _logger({**_source_labels(workload), **_RESPONSE}, settings, condition)
    return [*requests, *_client_tcp_metrics(workload, settings)]


def _client_tcp_metrics(workload: WorkloadMetadata, settings: MetricSettings) -> list[Json]:
    """The access logger for tunnels that a proxy opens to TCP ports."""
    cel = build_extension(CEL, CEL_TYPE, expression='xds.cluster_name.startsWith("outbound|")')
    filters = [{"header_filter": {"header": _CONNECT}}, {"extension_filter": cel}]
    labels = {**_source_labels(workload), **_TCP_RESPONSE}
    return _tcp_logger(labels, settings, {"and_filter": {"filters": filters}})


def connection_metrics(workload: WorkloadMetadata, settings: MetricSettings) -> list[Json]:
    """The access logger for connections that a proxy passes on as bytes."""
    return _tcp_logger({**_source_labels(workload), **_TCP_RESPONSE}, settings)


def server_tcp_metrics(
    workload: WorkloadMetadata, security: str, settings: MetricSettings
) -> list[Json]:
    """The access logger for connections that a sidecar passes to its app's TCP port."""
    labels = {**_destination_labels(workload), "connection_security_policy": security}
    labels[_SOURCE] = peer_metadata.NOBODY
    return _tcp_logger({**labels, **_TCP_RESPONSE}, settings)


def server_metrics(
    workload: WorkloadMetadata, security: str, settings: MetricSettings
) -> list[Json]:
    """The access logger for requests that a sidecar passes to its app; ``security`` is
    ``mutual_tls`` or ``none``."""
    labels = {**_destination_labels(workload), "connection_security_policy": security}
    return _logger({**labels, **_RESPONSE}, settings)


_RESPONSE = {
    "request_protocol": "http",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
}
_TCP_RESPONSE = {"request_protocol": "tcp", "response_flags": "%RESPONSE_FLAGS%"}
_SOURCE, _DESTINATION = (
    f"{side}_workload,{side}_workload_namespace,{side}_app,{side}_version"
    for side in ("source", "destination")
)
_SERVICE = "destination_service,destination_service_name,destination_service_namespace"
_CONNECT: Json = {"name": ":method", "string_match": {"exact": "CONNECT"}}
_PRINCIPAL = "%DOWNSTREAM_PEER_URI_SAN%"


def _tcp_logger(
    labels: Labels, settings: MetricSettings, condition: Json | None = None
) -> list[Json]:
    counters: Metrics = {
        "tcp_connections_closed_total": {"value_fixed": 1},
        "tcp_sent_bytes_total": {"value_format": "%BYTES_SENT%"},
        "tcp_received_bytes_total": {"value_format": "%BYTES_RECEIVED%"},
    }
    return _build_logger(settings, condition, counters=_stats(counters, labels, settings))


def _logger(labels: Labels, settings: MetricSettings, condition: Json | None = None) -> list[Json]:
    counters: Metrics = {"requests_total": {"value_fixed": 1}}
    histograms: Metrics = {
        "request_duration_milliseconds": {"value_format": "%DURATION%"},
        "request_bytes": {"value_format": "%BYTES_RECEIVED%"},
        "response_bytes": {"value_format": "%BYTES_SENT%"},
    }
    return _build_logger(
        settings,
        condition,
        counters=_stats(counters, labels, settings),
        histograms=_stats(histograms, labels, settings),
    )


def _stats(metrics: Metrics, labels: Labels, settings: MetricSettings) -> list[Json]:
    """Those that Telemetry resources do not disable, with their tags."""
    return [
        {"stat": {"name": name, "tags": _tags(labels, settings.of(name))}, **value}
        for name, value in metrics.items()
        if not settings.of(name).disabled
    ]


def _tags(labels: Labels, override: MetricOverride) -> list[Json]:
    formats = {**labels}
    for name, expression in override.tags.items():
        formats = packed_labels.remove_label(formats, name)
        if expression is not None:
            formats[name] = f"%CEL({expression})%"
    return [{"name": packed_labels.TAG, "value_format": packed_labels.pack(formats)}]


def _build_logger(
    settings: MetricSettings, condition: Json | None, **metrics: list[Json]
) -> list[Json]:
    if settings.disabled or not any(metrics.values()):
        return []
    logger = build_extension("envoy.access_loggers.stats", _TYPE, stat_prefix="istio", **metrics)
    return [logger if condition is None else {**logger, "filter": condition}]


def _source_labels(workload: WorkloadMetadata) -> dict[str, str]:
    return {
        "reporter": "source",
        "source_workload": workload.name,
        "source_workload_namespace": workload.namespace,
        "source_app": workload.app,
        "source_version": workload.version,
        _DESTINATION: "%UPSTREAM_METADATA(istio:workload)%",
        _SERVICE: "%CLUSTER_METADATA(istio:service)%",
        "connection_security_policy": UNKNOWN,
    }


def _destination_labels(workload: WorkloadMetadata) -> dict[str, str]:
    return {
        "reporter": "destination",
        _SOURCE: peer_metadata.CALLER,
        "source_principal": _PRINCIPAL,
        "destination_workload": workload.name,
        "destination_workload_namespace": workload.namespace,
        "destination_app": workload.app,
        "destination_version": workload.version,
        "destination_service": workload.service,
    }
