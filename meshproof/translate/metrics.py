"""Istio's standard HTTP metrics, made by Envoy itself out of what it logs.

Envoy's plain statistics know neither the caller nor the version that answered; the access logger
``envoy.access_loggers.stats`` does. Names and labels are Istio's, so one PromQL serves both
meshes; Envoy's Prometheus page writes the names with its own prefix: ``envoy_istio_...``.
What a proxy cannot know is ``unknown``, as in Istio: a sidecar knows the workload behind a
connection that it opened by the endpoint's metadata, and of one that it accepted the identity
alone, by the certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshproof.translate.proto import Json, extension

_TYPE = "envoy.extensions.access_loggers.stats.v3.Config"
UNKNOWN = "unknown"


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
    method = {"name": ":method", "string_match": {"exact": "CONNECT"}, "invert_match": True}
    return {**logger, "filter": {"header_filter": {"header": method}}}


def server_metrics(identity: Identity, security: str) -> Json:
    """The same of what a sidecar hands to its app; ``security`` is ``mutual_tls`` or ``none``."""
    labels = {**_destination(identity), "connection_security_policy": security}
    return _logger({**labels, **_ANSWER})


_ANSWER = {
    "request_protocol": "http",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
}


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
        "source_workload": UNKNOWN,
        "source_workload_namespace": UNKNOWN,
        "source_principal": "%DOWNSTREAM_PEER_URI_SAN%",
        "source_version": UNKNOWN,
        "destination_workload": identity.workload,
        "destination_workload_namespace": identity.namespace,
        "destination_app": identity.app,
        "destination_version": identity.version,
        "destination_service": identity.service,
    }
