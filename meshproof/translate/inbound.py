"""A sidecar's inbound side: a listener for each declared port, in its PeerAuthentication's mode.

Istio: core/listener_inbound.go; core/route/route.go for the route. What each mode accepts is in
``inbound_chains``, and who takes the ports that nothing declares, in ``inbound_passthrough``.
"""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.istio_names import inbound_cluster, inbound_virtual_host
from meshproof.model.pod_network import INBOUND_SOURCE, MESH_NAMESPACE
from meshproof.translate.access_logs import build_access_log
from meshproof.translate.clusters import build_load_assignment
from meshproof.translate.hcm import build_connection_manager, upgrade_configs
from meshproof.translate.host import Endpoint
from meshproof.translate.inbound_chains import (
    build_app_tls_chain,
    build_chains,
    build_sniffed_chains,
)
from meshproof.translate.inbound_inspectors import (
    build_inspection,
    needs_http_inspector,
    needs_tls_inspector,
)
from meshproof.translate.inbound_servers import LOCALHOST, Server, find_server
from meshproof.translate.listeners import build_listener, http_inspector, tls_inspector
from meshproof.translate.mesh_settings import connection_manager_settings, hides_debug_headers
from meshproof.translate.metrics import server_metrics, server_tcp_metrics
from meshproof.translate.outbound_routes import build_route_configuration
from meshproof.translate.peer_authentication import Mode, mtls_mode
from meshproof.translate.peer_metadata import peer_filter
from meshproof.translate.proto import Json, build_extension, pipe_address
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.retries import INBOUND
from meshproof.translate.security_filters import SecurityFilters, select_security_filters
from meshproof.translate.telemetry import Reporting, select_reporting
from meshproof.translate.traffic_policy import build_connection_pool
from meshproof.translate.workload_metadata import WorkloadMetadata
from meshproof.translate.world import (
    Config,
    ContainerPort,
    Replica,
    Resource,
    World,
    mesh_of,
)

APP_IDLE = 30.0
"""Seconds until the sidecar closes an idle connection to its app. The app's keep-alive timeout must
be longer (our gunicorns' is), else a request may meet a closing connection: 503 UC."""

FROM_SIDECAR: Json = {
    "upstream_bind_config": {"source_address": {"address": INBOUND_SOURCE, "port_value": 0}}
}
"""The app sees Istio's inbound passthrough address."""
_TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


def add_inbound(world: World, view: ProxyView, replica: Replica, log: str, config: Config) -> None:
    """Add the listener, route table and cluster of each port of ``replica``."""
    filters = select_security_filters(world, replica)
    for port in replica.ports:
        name = inbound_cluster(port.port)
        server = find_server(world, replica, port, view.sidecar)
        inbound = Inbound(world, replica, name, port.port, server, filters, log)
        chains = inbound.add(view, config)
        config.listeners[name] = _build_listener(name, port, chains, in_pod=world.pods)


@dataclass(frozen=True, slots=True)
class Inbound:
    """One port of a replica, with what is known of the app behind it."""

    world: World
    replica: Replica
    name: str
    """Of its cluster and its routes."""
    port: int
    """As policies write it; ``ANY_PORT`` for what no port of its own takes."""
    server: Server
    filters: SecurityFilters
    log: str

    @property
    def workload(self) -> WorkloadMetadata:
        replica = self.replica
        return WorkloadMetadata(
            replica.namespace, replica.workload, replica.labels, self.server.host
        )

    @property
    def mode(self) -> Mode:
        peers, replica = self.world.peer_authentications, self.replica
        return mtls_mode(peers, replica.namespace, replica.labels, self.port)

    @property
    def reporting(self) -> Reporting:
        replica = self.replica
        return select_reporting(self.world, replica, "SERVER")

    def access_logs(self) -> list[Json]:
        return build_access_log(self.log, "inbound", self.reporting)

    def add(self, view: ProxyView, config: Config) -> list[Json]:
        """Add its cluster, and routes for its HTTP. Its filter chains."""
        config.clusters[self.name] = self.cluster(view)
        if self.server.port is not None and self.server.port.protocol != "HTTP":
            return self.tcp_chains()
        table = self.filters.route_table_name(self.name)
        config.routes[table] = self.filters.apply_to_routes(self.routes(table), self.port)
        return self.sniffed_chains() if self.sniffs(view) else self.http_chains()

    def sniffs(self, view: ProxyView) -> bool:
        """Whether it tells HTTP from other bytes: where nothing says the protocol. Without pods
        such a port is HTTP, unless a Sidecar's ingress leaves it out or does not say."""
        port = self.server.port
        chosen = view.sidecar is not None and bool(view.sidecar.spec.ingress)
        return (self.world.pods or chosen) and (port is None or port.kind == "AUTO")

    def cluster(self, view: ProxyView) -> Resource:
        """The app itself. The Sidecar's connection pool wins over the DestinationRule's."""
        pool, port, service = self.server.pool, self.server.port, self.server.service
        if pool is None and port is not None and service:
            pool = view.policy(service, "", port.port).connection_pool
        app, h2 = self.server.app, None if port is None else port.h2
        endpoints = [Endpoint(app, self.replica.labels)] if app is not None else []
        source = LOCALHOST if app is not None and app.ip == LOCALHOST else INBOUND_SOURCE
        return {
            "name": self.name,
            "type": "STATIC",
            "load_assignment": build_load_assignment(self.name, endpoints),
            "upstream_bind_config": {"source_address": {"address": source, "port_value": 0}},
            **build_connection_pool(pool, APP_IDLE, h2=h2, inbound=True, mesh=self.world.mesh),
        }

    def tcp_chains(self) -> list[Json]:
        """Filter chains of a TCP port."""
        rbac = self.filters.network_filters(self.port)
        mtls, plain = ([*rbac, self._tcp_proxy(security)] for security in ("mutual_tls", "none"))
        if self.mode == "DISABLE":
            return [{"name": "plain", "filters": plain}]
        return [
            *build_chains(self.mode, mtls, plain, self.world.mesh),
            *build_app_tls_chain(self.mode, plain),
        ]

    def _tcp_proxy(self, security: str) -> Json:
        return build_extension(
            "envoy.filters.network.tcp_proxy",
            _TCP_PROXY,
            stat_prefix=self.name,
            cluster=self.name,
            access_log=[
                *self.access_logs(),
                *server_tcp_metrics(self.workload, security, self.reporting.metrics),
            ],
        )

    def sniffed_chains(self) -> list[Json]:
        """Filter chains of a port without a protocol: HTTP where the client says so or the
        inspector recognises it, else bytes (inboundPermissiveFilterChainMatchWithMxcOptions)."""
        http, plain_http = (self._http_filters(security) for security in ("mutual_tls", "none"))
        rbac = self.filters.network_filters(self.port)
        mtls, plain = ([*rbac, self._tcp_proxy(security)] for security in ("mutual_tls", "none"))
        return build_sniffed_chains(self.mode, (http, mtls), (plain_http, plain), self.world.mesh)

    def http_chains(self) -> list[Json]:
        """Filter chains of an HTTP port."""
        mtls, plain = (self._http_filters(security) for security in ("mutual_tls", "none"))
        return build_chains(self.mode, mtls, plain, self.world.mesh)

    def _http_filters(self, security: str) -> list[Json]:
        """The network filters of a chain for HTTP: its policies belong to requests."""
        plugins = self.filters.plugins.network_filters(self.port)
        return [*plugins, self._connection_manager(security)]

    def _connection_manager(self, security: str) -> Json:
        return build_connection_manager(
            self.name,
            routes=self.filters.route_table_name(self.name),
            logs=[
                *self.access_logs(),
                *server_metrics(self.workload, security, self.reporting.metrics),
            ],
            workload=self.workload,
            first_filters=[peer_filter(), *self.filters.http_filters(self.port)],
            report=self.reporting,
            hide_debug_headers=hides_debug_headers(mesh_of(self.world, self.replica)),
            upgrade_configs=upgrade_configs("websocket"),
            **connection_manager_settings(mesh_of(self.world, self.replica), "inbound"),
        )

    def routes(self, table: str) -> Json:
        """One route to the app: no timeout, no stream duration limit, and, except for streams of
        gRPC, Istio's own retry (BuildDefaultHTTPInboundRoute)."""
        server, replica = self.server, self.replica
        number = server.port.port if server.port else self.port
        host = server.host if server.port else f"{replica.workload}.{replica.namespace}"
        route: Json = {
            "name": "default",
            "match": {"prefix": "/"},
            "decorator": {"operation": f"{host}:{number}/*"},
            "route": {
                "cluster": self.name,
                "timeout": "0s",
                "max_stream_duration": {
                    "max_stream_duration": "0s",
                    "grpc_timeout_header_max": "0s",
                },
            },
        }
        if server.port is None or not server.port.grpc:
            route["route"]["retry_policy"] = INBOUND
        virtual_host = {"name": inbound_virtual_host(number), "domains": ["*"], "routes": [route]}
        return build_route_configuration(table, [virtual_host])


def _build_listener(name: str, port: ContainerPort, chains: list[Json], *, in_pod: bool) -> Json:
    """It tells TLS from plain text, and HTTP from bytes, only where a chain asks for it: until the
    client speaks, an inspector keeps a server that speaks first waiting, and what nobody inspects
    is plain text (Istio: populateListenerFilters). In a pod it listens in the mesh's network
    namespace, where the other sidecars are, and on a Unix socket for the proxies beyond."""
    inspectors = []
    if any(map(needs_tls_inspector, chains)):
        inspectors.append(tls_inspector())
    if any(map(needs_http_inspector, chains)):
        inspectors.append(http_inspector())
    listener = build_listener(
        name,
        port.listen.ip,
        port.listen.port,
        chains,
        "INBOUND",
        **(build_inspection(inspectors) if inspectors else {}),
    )
    return place_inbound(listener, port, in_pod=in_pod)


def place_inbound(listener: Json, port: ContainerPort, *, in_pod: bool) -> Json:
    """A listener for a container port, in the networks where its callers are."""
    if in_pod:
        listener["address"]["socket_address"]["network_namespace_filepath"] = MESH_NAMESPACE
    if port.pipe:
        listener["additional_addresses"] = [{"address": pipe_address(port.pipe)}]
    return listener
