"""The bootstrap configuration of one Envoy: ADS, the span collector, and the admin interface.

All three are Unix sockets. Everything else arrives over ADS (state of the world, gRPC, v3).
"""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.istio_names import VIRTUAL_INBOUND
from meshproof.translate.proto import ADS, Json, build_any, build_extension, pipe_address
from meshproof.translate.tracing import ZIPKIN

XDS = "xds"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

# Statistics cost memory, so Envoy keeps only those that something reads.
_KEPT_PREFIXES = (
    "cluster_manager.",
    "control_plane.",
    "http.",
    "istio.",
    f"listener.{VIRTUAL_INBOUND}.downstream_cx_active",
    "listener_manager.",
    "server.live",
    "server.memory_",
    "server.state",
    "tracing.",
)
_KEPT_OF_CLUSTERS = (
    r"cluster\..*\.(upstream_rq_(total|completed|timeout|retry.*|pending_overflow|[0-9]..?)"
    r"|upstream_cx_(total|active|connect_fail|overflow)"
    r"|membership_(total|healthy)|update_(success|rejected)"
    r"|outlier_detection\.ejections_(active|enforced_total))"
)
_RUNTIME: Json = {
    # How soon a finished span is sent, and how many are sent together under load.
    "tracing.zipkin.flush_interval_ms": 100,
    "tracing.zipkin.min_flush_spans": 50,
    # Envoy drops a report that is not taken in time, by default in 5 s: a lost span voids a run.
    "tracing.zipkin.request_timeout": 60_000,
    # A rule's expression may be as large as in Istio.
    "re2.max_program_size.error_level": 32768,
    # Istio 1.29 has Envoy 1.37. What 1.39 changed: a 503 says why the connection failed.
    "envoy.reloadable_features.hide_transport_failure_reason_in_response_body": False,
}

_OWNER_ONLY = 0o600
"""Mode of the admin socket: whoever can connect to it can stop this Envoy."""


def build_bootstrap(  # noqa: PLR0917 - every caller passes them by name
    node_id: str,
    cluster: str,
    metadata: Mapping[str, object],
    xds_socket: str,
    zipkin_socket: str,
    admin_socket: str,
    source_ip: str = "",
    mesh_namespace: str = "",
) -> Json:
    """The bootstrap of one Envoy.

    Its connections to others come from ``source_ip``, if there is one, and are made in the network
    namespace that the path ``mesh_namespace`` stands for, if there is one: a sidecar of a pod
    meets its peers there, not in the pod.

    ``cluster`` becomes the service name of its spans: ``<app>.<namespace>``. Envoy reconnects a
    lost ADS stream after 0.05 to 0.5 s. Socket paths are at most 107 bytes long.
    """
    return {
        "node": {"id": node_id, "cluster": cluster, "metadata": dict(metadata)},
        "admin": {"address": {"pipe": {"path": admin_socket, "mode": _OWNER_ONLY}}},
        "dynamic_resources": {
            "ads_config": _ads_config(),
            "cds_config": ADS,
            "lds_config": ADS,
        },
        "static_resources": {
            "clusters": [
                _static_cluster(XDS, xds_socket, {"http2_protocol_options": {}}),
                _static_cluster(ZIPKIN, zipkin_socket, {"http_protocol_options": {}}),
            ]
        },
        "bootstrap_extensions": [_internal_listeners()],
        **_upstream_bind(source_ip, mesh_namespace),
        "layered_runtime": {"layers": [{"name": "static", "static_layer": _RUNTIME}]},
        "stats_config": _stats_config(),
        "stats_flush_on_admin": True,
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
    }


def _upstream_bind(ip: str, namespace: str) -> Json:
    if not ip:
        return {}
    source: Json = {"address": ip, "port_value": 0}
    if namespace:
        source["network_namespace_filepath"] = namespace
    return {"cluster_manager": {"upstream_bind_config": {"source_address": source}}}


def _internal_listeners() -> Json:
    """Listeners that only this Envoy itself can reach (``connect_loops``)."""
    name = "envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
    return build_extension("envoy.bootstrap.internal_listener", name)


def _ads_config() -> Json:
    backoff = {"base_interval": "0.05s", "max_interval": "0.5s"}
    return {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "set_node_on_first_message_only": True,
        "grpc_services": [
            {"envoy_grpc": {"cluster_name": XDS, "retry_policy": {"retry_back_off": backoff}}}
        ],
    }


def _static_cluster(name: str, path: str, protocol: Json) -> Json:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": pipe_address(path)}}]}],
        },
        "typed_extension_protocol_options": {
            _HTTP_OPTIONS: build_any(_HTTP_OPTIONS, explicit_http_config=protocol)
        },
    }


def _stats_config() -> Json:
    patterns: list[Json] = [{"prefix": prefix} for prefix in _KEPT_PREFIXES]
    patterns.append({"safe_regex": {"regex": _KEPT_OF_CLUSTERS}})
    return {
        "stats_matcher": {"inclusion_list": {"patterns": patterns}},
        "use_all_default_tags": True,
    }
