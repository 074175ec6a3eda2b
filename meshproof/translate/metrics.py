"""Istio's standard metrics, counted by Envoy's stats access logger.

Envoy's plain statistics know neither the caller nor the version that answered. The access logger
``envoy.access_loggers.stats`` does. Names and labels are Istio's, so the same PromQL works on both
meshes; Envoy's Prometheus page prefixes the names: ``envoy_istio_...``.

A sidecar learns the destination workload from the endpoint's metadata, and the source workload
from what the caller's proxy announces (``peer_metadata``). On a TCP port it knows the source's
identity alone, from the certificate. Anything else is ``unknown``, as in Istio.

Tunnels (CONNECT to a TCP port) become Istio's TCP metrics, counted when they end.
"""

from __future__ import annotations

from meshproof.translate import peer_metadata
from meshproof.translate.proto import Json, build_extension
from meshproof.translate.workload_metadata import UNKNOWN, WorkloadMetadata

CEL = "envoy.access_loggers.extension_filters.cel"
CEL_TYPE = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_TYPE = "envoy.extensions.access_loggers.stats.v3.Config"


def client_metrics(workload: WorkloadMetadata) -> Json:
    """The access logger for requests that a proxy sends. A CONNECT is not counted: the requests
    inside its tunnel are."""
    logger = _logger({**_source_labels(workload), **_RESPONSE})
    return {**logger, "filter": {"header_filter": {"header": {**_CONNECT, "invert_match": True}}}}


def client_tcp_metrics(workload: WorkloadMetadata) -> Json:
    """The access logger for tunnels that a proxy opens to TCP ports."""
    cel = build_extension(CEL, CEL_TYPE, expression='xds.cluster_name.startsWith("outbound|")')
    filters = [{"header_filter": {"header": _CONNECT}}, {"extension_filter": cel}]
    logger = _tcp_logger({**_source_labels(workload), **_TCP_RESPONSE})
    return {**logger, "filter": {"and_filter": {"filters": filters}}}


def connection_metrics(workload: WorkloadMetadata) -> Json:
    """The access logger for connections that a proxy passes on as bytes."""
    return _tcp_logger({**_source_labels(workload), **_TCP_RESPONSE})


def server_tcp_metrics(workload: WorkloadMetadata, security: str) -> Json:
    """The access logger for connections that a sidecar passes to its app's TCP port."""
    labels = {**_destination_labels(workload), "connection_security_policy": security}
    labels |= {name: UNKNOWN for name in labels if name.startswith("source_")}
    labels["source_principal"] = _PRINCIPAL
    return _tcp_logger({**labels, **_TCP_RESPONSE})


def server_metrics(workload: WorkloadMetadata, security: str) -> Json:
    """The access logger for requests that a sidecar passes to its app; ``security`` is
    ``mutual_tls`` or ``none``."""
    labels = {**_destination_labels(workload), "connection_security_policy": security}
    return _logger({**labels, **_RESPONSE})


_RESPONSE = {
    "request_protocol": "http",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
}
_TCP_RESPONSE = {"request_protocol": "tcp", "response_flags": "%RESPONSE_FLAGS%"}
_CONNECT: Json = {"name": ":method", "string_match": {"exact": "CONNECT"}}
_PRINCIPAL = "%DOWNSTREAM_PEER_URI_SAN%"


def _tcp_logger(labels: dict[str, str]) -> Json:
    tags = [{"name": name, "value_format": value} for name, value in labels.items()]

    def counter(name: str, **value: object) -> Json:
        return {"stat": {"name": name, "tags": tags}, **value}

    return build_extension(
        "envoy.access_loggers.stats",
        _TYPE,
        stat_prefix="istio",
        counters=[
            counter("tcp_connections_closed_total", value_fixed=1),
            counter("tcp_sent_bytes_total", value_format="%BYTES_SENT%"),
            counter("tcp_received_bytes_total", value_format="%BYTES_RECEIVED%"),
        ],
    )


def _logger(labels: dict[str, str]) -> Json:
    tags = [{"name": name, "value_format": value} for name, value in labels.items()]
    histograms = (
        ("request_duration_milliseconds", "%DURATION%"),
        ("request_bytes", "%BYTES_RECEIVED%"),
        ("response_bytes", "%BYTES_SENT%"),
    )
    return build_extension(
        "envoy.access_loggers.stats",
        _TYPE,
        stat_prefix="istio",
        counters=[{"stat": {"name": "requests_total", "tags": tags}, "value_fixed": 1}],
        histograms=[
            {"stat": {"name": name, "tags": tags}, "value_format": value}
            for name, value in histograms
        ],
    )


def _source_labels(workload: WorkloadMetadata) -> dict[str, str]:
    return {
        "reporter": "source",
        "source_workload": workload.name,
        "source_workload_namespace": workload.namespace,
        "source_app": workload.app,
        "source_version": workload.version,
        "destination_workload": "%UPSTREAM_METADATA(istio:workload)%",
        "destination_workload_namespace": "%UPSTREAM_METADATA(istio:namespace)%",
        "destination_app": "%UPSTREAM_METADATA(istio:app)%",
        "destination_version": "%UPSTREAM_METADATA(istio:version)%",
        "destination_service": "%CLUSTER_METADATA(istio:service)%",
        "destination_service_name": "%CLUSTER_METADATA(istio:service_name)%",
        "destination_service_namespace": "%CLUSTER_METADATA(istio:service_namespace)%",
        "connection_security_policy": UNKNOWN,
    }


def _destination_labels(workload: WorkloadMetadata) -> dict[str, str]:
    return {
        "reporter": "destination",
        "source_workload": peer_metadata.caller_field("workload"),
        "source_workload_namespace": peer_metadata.caller_field("namespace"),
        "source_principal": _PRINCIPAL,
        "source_app": peer_metadata.caller_field("app"),
        "source_version": peer_metadata.caller_field("version"),
        "destination_workload": workload.name,
        "destination_workload_namespace": workload.namespace,
        "destination_app": workload.app,
        "destination_version": workload.version,
        "destination_service": workload.service,
    }
