"""Listeners that every proxy has: the outbound proxy and the probe; and their common shape."""

from __future__ import annotations

from typing import Any, Literal

from meshproof.model.mesh_config import MeshConfig
from meshproof.translate.access_logs import build_access_log
from meshproof.translate.hcm import build_connection_manager, upgrade_configs
from meshproof.translate.mesh_settings import connection_manager_settings, hides_debug_headers
from meshproof.translate.metrics import client_metrics, tunnel_metrics
from meshproof.translate.peer_metadata import announce_peer
from meshproof.translate.proto import Json, build_extension, pipe_address, socket_address
from meshproof.translate.resource_names import OUTBOUND, PROBE
from meshproof.translate.telemetry import Reporting
from meshproof.translate.wasm_plugins import NO_PLUGINS, Plugins
from meshproof.translate.workload_metadata import WorkloadMetadata
from meshproof.translate.world import PROBE_PORT, PROXY_PORT

_BUFFER = 1048576


def build_listener(
    name: str,
    ip: str,
    port: int,
    chains: list[Json],
    direction: Literal["INBOUND", "OUTBOUND", "UNSPECIFIED"],
    **fields: object,
) -> Json:
    """A listener that owns its port: without ``enable_reuse_port: false`` two Envoys would
    silently share it."""
    return {
        "name": name,
        "address": socket_address(ip, port),
        "enable_reuse_port": False,
        "per_connection_buffer_limit_bytes": _BUFFER,
        "traffic_direction": direction,
        "filter_chains": chains,
        **fields,
    }


def tls_inspector() -> Json:
    """The listener filter that tells TLS, and its server name, from other bytes."""
    return build_extension(
        "envoy.filters.listener.tls_inspector",
        "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
    )


def http_inspector() -> Json:
    """The listener filter that tells HTTP from other bytes."""
    return build_extension(
        "envoy.filters.listener.http_inspector",
        "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
    )


def build_outbound_listener(
    ip: str,
    workload: WorkloadMetadata,
    log: str,
    report: Reporting,
    mesh: MeshConfig,
    *,
    plugins: Plugins = NO_PLUGINS,
) -> Json:
    """The forward proxy: absolute-form requests and CONNECT for every port, with one route table.

    It accepts HTTP/1.0, unlike Istio (426): Python before 3.12 opens tunnels with it.
    """
    http = build_outbound_manager(
        OUTBOUND,
        workload,
        log,
        report,
        mesh,
        tunnels=True,
        first_filters=plugins.http_filters(0),
        upgrade_configs=upgrade_configs("CONNECT", "websocket"),
        http_protocol_options={"accept_http_10": True},
    )
    filters = [*plugins.network_filters(0), http]
    return build_listener(OUTBOUND, ip, PROXY_PORT, [{"filters": filters}], "OUTBOUND")


def build_outbound_manager(
    routes: str,
    workload: WorkloadMetadata,
    log: str,
    report: Reporting,
    mesh: MeshConfig,
    *,
    tunnels: bool = False,
    **fields: Any,
) -> Json:
    """The connection manager of a listener for an app's own requests; ``routes`` names its
    table, and ``tunnels`` says whether it takes CONNECT. All of a sidecar's have one stat
    prefix."""
    return build_connection_manager(
        OUTBOUND,
        routes=routes,
        logs=[
            *build_access_log(log, "outbound", report),
            *(tunnel_metrics if tunnels else client_metrics)(workload, report.metrics),
        ],
        workload=workload,
        report=report,
        can_fault=True,
        early_header_mutation_extensions=announce_peer(workload),
        hide_debug_headers=hides_debug_headers(mesh),
        **connection_manager_settings(mesh, "outbound"),
        **fields,
    )


def build_probe_listener(ip: str, log: str, pipe: str = "") -> Json:
    """Answers every request with 200 and logs it: once that line is in the file, so are all
    earlier lines of this proxy. It listens on the Unix socket ``pipe`` if there is one."""
    routes: Json = {
        "name": PROBE,
        "virtual_hosts": [
            {
                "name": PROBE,
                "domains": ["*"],
                "routes": [
                    {
                        "name": PROBE,
                        "match": {"prefix": "/"},
                        "direct_response": {"status": 200},
                    }
                ],
            }
        ],
    }
    http = build_connection_manager(PROBE, routes=routes, logs=build_access_log(log, "probe"))
    listener = build_listener(PROBE, ip, PROBE_PORT, [{"filters": [http]}], "UNSPECIFIED")
    return {**listener, "address": pipe_address(pipe)} if pipe else listener
