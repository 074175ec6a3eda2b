"""A sidecar's way in: one listener a container port, in the mode of its PeerAuthentication.

PERMISSIVE: TLS with Istio's ALPN asks for a mesh certificate, a plain connection is taken as it
is, TLS of any other kind is the app's own on a port of bytes, and is closed on an HTTP port.
STRICT: all TLS asks for a mesh certificate, plain is closed. DISABLE: nothing asks for one (Istio:
core/filterchain_options.go, core/listener_inbound.go, core/route/route.go for the route).
"""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.istio_names import inbound_cluster, inbound_virtual_host
from meshproof.translate import tls
from meshproof.translate.clusters import build_load_assignment
from meshproof.translate.hcm import build_access_log, build_connection_manager, upgrade_configs
from meshproof.translate.listeners import build_listener
from meshproof.translate.metrics import server_metrics, server_tcp_metrics
from meshproof.translate.outbound_routes import build_route_configuration
from meshproof.translate.peer_authentication import Mode, mtls_mode
from meshproof.translate.peer_metadata import peer_filter
from meshproof.translate.proto import Json, build_extension
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.registry import Endpoint, container_port, has_labels
from meshproof.translate.retries import INBOUND
from meshproof.translate.security_filters import select_security_filters
from meshproof.translate.telemetry import Reporting, select_reporting
from meshproof.translate.traffic_policy import build_connection_pool
from meshproof.translate.workload_metadata import UNKNOWN, WorkloadMetadata
from meshproof.translate.world import (
    Config,
    ContainerPort,
    Replica,
    Service,
    ServicePort,
    World,
)

APP_IDLE = 30.0
"""Seconds until an idle connection to the app is closed; an app's own keep-alive must be longer
(our gunicorns' is), else a request may meet a closing connection: 503 UC."""
SERVER_NAME = "istio-envoy"

_INSPECTOR = "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
_TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


def add_inbound(world: World, view: ProxyView, replica: Replica, log: str, config: Config) -> None:
    """Add the listener, route table and cluster of each port of ``replica``."""
    filters = select_security_filters(world, replica.namespace, replica.labels)
    report = select_reporting(world.telemetries, replica.namespace, replica.labels, "SERVER")
    logs = build_access_log(log, "inbound", report)
    config.clusters.update({c["name"]: c for c in filters.clusters()})
    for port in replica.ports:
        name = inbound_cluster(port.port)
        served = _served_port(world, replica, port)
        number = served[1].port if served else 0
        pool = view.inbound_pool()
        if pool is None and served:
            pool = view.policy(served[0].fqdn, "", number).connection_pool
        config.clusters[name] = {
            "name": name,
            "type": "STATIC",
            "load_assignment": build_load_assignment(name, [Endpoint(port.app, replica.labels)]),
            **build_connection_pool(
                pool, APP_IDLE, h2=served[1].h2 if served else None, inbound=True
            ),
        }
        mode = mtls_mode(world.peer_authentications, replica.namespace, replica.labels, port.port)
        fqdn = served[0].fqdn if served else UNKNOWN
        workload = WorkloadMetadata(replica.namespace, replica.workload, replica.labels, fqdn)
        if served and served[1].protocol != "HTTP":
            before = filters.network_filters(port.port)
            mutual, plain = (
                [*before, _tcp_proxy(name, [*logs, server_tcp_metrics(workload, security)])]
                for security in ("mutual_tls", "none")
            )
            chains = [*_build_chains(mode, mutual, plain), *_app_tls_chain(mode, plain)]
        else:
            table = filters.route_table_name(name)
            http = _HttpChain(name, table, workload, logs, filters.http_filters(), report)
            chains = _build_chains(
                mode, [http.connection_manager("mutual_tls")], [http.connection_manager("none")]
            )
            routes = _build_routes(table, name, replica, port, served)
            config.routes[table] = filters.apply_to_routes(routes, port.port)
        config.listeners[name] = _build_listener(name, port, chains)


def _served_port(
    world: World, replica: Replica, port: ContainerPort
) -> tuple[Service, ServicePort] | None:
    """The first Service port that leads to this container port, if any does."""
    for service in world.services:
        if service.namespace != replica.namespace or not service.selector:
            continue
        if not has_labels(replica.labels, service.selector):
            continue
        for number in service.ports:
            if container_port(replica, number.target_port) == port:
                return service, number
    return None


def _build_chains(mode: Mode, mtls_filters: list[Json], plain_filters: list[Json]) -> list[Json]:
    """The filter chains of a mode; their names never change, so that a change of mode replaces
    no more than it must."""
    match: Json = {"transport_protocol": "tls"}
    if mode == "PERMISSIVE":
        match["application_protocols"] = list(tls.MESH_ALPN)
    mtls_chain: Json = {
        "name": "tls",
        "filter_chain_match": match,
        "transport_socket": tls.build_downstream_context(),
        "filters": mtls_filters,
    }
    plain_chain: Json = {
        "name": "plain",
        "filter_chain_match": {"transport_protocol": "raw_buffer"},
        "filters": plain_filters,
    }
    return {
        "PERMISSIVE": [mtls_chain, plain_chain],
        "STRICT": [mtls_chain],
        "DISABLE": [plain_chain],
    }[mode]


def _app_tls_chain(mode: Mode, filters: list[Json]) -> list[Json]:
    """On a port of bytes, TLS that is the app's own passes as it is, but under STRICT."""
    match: Json = {"transport_protocol": "tls"}
    chain: Json = {"name": "own-tls", "filter_chain_match": match, "filters": filters}
    return [] if mode == "STRICT" else [chain]


def _build_listener(name: str, port: ContainerPort, chains: list[Json]) -> Json:
    inspector = build_extension("envoy.filters.listener.tls_inspector", _INSPECTOR)
    return build_listener(
        name,
        port.listen.ip,
        port.listen.port,
        chains,
        "INBOUND",
        listener_filters=[inspector],
        listener_filters_timeout="0s",
        continue_on_listener_filters_timeout=True,
    )


@dataclass(frozen=True, slots=True)
class _HttpChain:
    """What the connection managers of a port's filter chains have in common."""

    name: str
    routes: str
    workload: WorkloadMetadata
    logs: list[Json]
    security_filters: list[Json]
    report: Reporting

    def connection_manager(self, security: str) -> Json:
        return build_connection_manager(
            self.name,
            routes=self.routes,
            logs=[*self.logs, server_metrics(self.workload, security)],
            workload=self.workload,
            first_filters=[peer_filter(), *self.security_filters],
            report=self.report,
            server_name=SERVER_NAME,
            forward_client_cert_details="APPEND_FORWARD",
            set_current_client_cert_details={"subject": True, "dns": True, "uri": True},
            upgrade_configs=upgrade_configs("websocket"),
        )


def _tcp_proxy(name: str, logs: list[Json]) -> Json:
    return build_extension(
        "envoy.filters.network.tcp_proxy",
        _TCP_PROXY,
        stat_prefix=name,
        cluster=name,
        access_log=logs,
    )


def _build_routes(
    table: str,
    name: str,
    replica: Replica,
    port: ContainerPort,
    served: tuple[Service, ServicePort] | None,
) -> Json:
    """One route to the app: no timeout, no limit of a stream's life, Istio's own retry."""
    number = served[1].port if served else port.port
    host = served[0].fqdn if served else f"{replica.workload}.{replica.namespace}"
    route: Json = {
        "name": "default",
        "match": {"prefix": "/"},
        "decorator": {"operation": f"{host}:{number}/*"},
        "route": {
            "cluster": name,
            "timeout": "0s",
            "max_stream_duration": {
                "max_stream_duration": "0s",
                "grpc_timeout_header_max": "0s",
            },
            "retry_policy": INBOUND,
        },
    }
    virtual_host = {"name": inbound_virtual_host(number), "domains": ["*"], "routes": [route]}
    return build_route_configuration(table, [virtual_host])
