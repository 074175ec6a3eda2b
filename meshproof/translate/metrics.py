"""Istio's standard HTTP metrics, made by Envoy itself out of what it logs.

Envoy's plain statistics know neither the caller nor the version that answered; the access logger
``envoy.access_loggers.stats`` does. Names and labels are Istio's, so one PromQL serves both
meshes; Envoy's Prometheus page writes the names with its own prefix: ``envoy_istio_...``.
A sidecar knows the workload behind a connection that it opened by the endpoint's metadata, and who
calls it by what the caller's proxy says (``peer_metadata``); of a connection of bytes it knows the
identity alone, by the certificate. What it cannot know is ``unknown``, as in Istio.

Tunnels (CONNECT to a port of bytes) are Istio's TCP metrics, counted when they end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshproof.translate import peer_metadata
from meshproof.translate.proto import Json, extension

CEL = "envoy.access_loggers.extension_filters.cel"
CEL_TYPE = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_TYPE = "envoy.extensions.access_loggers.stats.v3.Config"
UNKNOWN = peer_metadata.UNKNOWN


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the proxy is, for spans and metrics."""

    namespace: str
    workload: str
    labels: Mapping[str, str] = field(default_factory=dict)
    service: str = UNKNOWN
    """The Service that it serves, by full name."""

    @property
    def app(self) -> str:
        """Istio's canonical service: the label ``app``, else the workload."""
        return self.labels.get("app") or self.workload

    @property
    def version(self) -> str:
        return self.labels.get("version") or "latest"


def client_metrics(identity: Identity) -> Json:
    """The access logger that counts and measures what a proxy sends on; not a CONNECT, which is
    a way for requests and none itself."""
    logger = _logger({**_source(identity), **_ANSWER})
    return {**logger, "filter": {"header_filter": {"header": {**_CONNECT, "invert_match": True}}}}


def client_tcp_metrics(identity: Identity) -> Json:
    """The same of tunnels that it opens to ports of bytes."""
    cel = extension(CEL, CEL_TYPE, expression='xds.cluster_name.startsWith("outbound|")')
    filters = [{"header_filter": {"header": _CONNECT}}, {"extension_filter": cel}]
    logger = _tcp_logger({**_source(identity), **_TCP_ANSWER})
    return {**logger, "filter": {"and_filter": {"filters": filters}}}


def server_tcp_metrics(identity: Identity, security: str) -> Json:
    """The same of connections that a sidecar hands to its app's port of bytes."""
    labels = {**_destination(identity), "connection_security_policy": security}
    labels |= {name: UNKNOWN for name in labels if name.startswith("source_")}
    labels["source_principal"] = _PRINCIPAL
    return _tcp_logger({**labels, **_TCP_ANSWER})


def server_metrics(identity: Identity, security: str) -> Json:
    """The same of what a sidecar hands to its app; ``security`` is ``mutual_tls`` or ``none``."""
    labels = {**_destination(identity), "connection_security_policy": security}
    return _logger({**labels, **_ANSWER})


_ANSWER = {
    "request_protocol": "http",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
}
_TCP_ANSWER = {"request_protocol": "tcp", "response_flags": "%RESPONSE_FLAGS%"}
_CONNECT: Json = {"name": ":method", "string_match": {"exact": "CONNECT"}}
_PRINCIPAL = "%DOWNSTREAM_PEER_URI_SAN%"


def _tcp_logger(labels: dict[str, str]) -> Json:
    tags = [{"name": name, "value_format": value} for name, value in labels.items()]

    def counter(name: str, **value: object) -> Json:
        return {"stat": {"name": name, "tags": tags}, **value}

    return extension(
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
    return extension(
        "envoy.access_loggers.stats",
        _TYPE,
        stat_prefix="istio",
        counters=[{"stat": {"name": "requests_total", "tags": tags}, "value_fixed": 1}],
        histograms=[
            {"stat": {"name": name, "tags": tags}, "value_format": value}
            for name, value in histograms
        ],
    )


def _source(identity: Identity) -> dict[str, str]:
    return {
        "reporter": "source",
        "source_workload": identity.workload,
        "source_workload_namespace": identity.namespace,
        "source_app": identity.app,
        "source_version": identity.version,
        "destination_workload": "%UPSTREAM_METADATA(istio:workload)%",
        "destination_workload_namespace": "%UPSTREAM_METADATA(istio:namespace)%",
        "destination_app": "%UPSTREAM_METADATA(istio:app)%",
        "destination_version": "%UPSTREAM_METADATA(istio:version)%",
        "destination_service": "%CLUSTER_METADATA(istio:service)%",
        "destination_service_name": "%CLUSTER_METADATA(istio:service_name)%",
        "destination_service_namespace": "%CLUSTER_METADATA(istio:service_namespace)%",
        "connection_security_policy": UNKNOWN,
    }


def _destination(identity: Identity) -> dict[str, str]:
    return {
        "reporter": "destination",
        "source_workload": peer_metadata.caller("workload"),
        "source_workload_namespace": peer_metadata.caller("namespace"),
        "source_principal": _PRINCIPAL,
        "source_app": peer_metadata.caller("app"),
        "source_version": peer_metadata.caller("version"),
        "destination_workload": identity.workload,
        "destination_workload_namespace": identity.namespace,
        "destination_app": identity.app,
        "destination_version": identity.version,
        "destination_service": identity.service,
    }
