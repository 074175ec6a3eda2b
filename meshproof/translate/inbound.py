"""A sidecar's way in: one listener a container port, PERMISSIVE as in Istio.

TLS with Istio's ALPN asks for a mesh certificate; a plain connection is taken as it is; TLS of
any other kind finds no filter chain and is closed (Istio: core/filterchain_options.go,
core/listener_inbound.go, core/route/route.go for the route).
"""

from __future__ import annotations

from meshproof.translate import tls
from meshproof.translate.clusters import load_assignment
from meshproof.translate.hcm import access_log, manager, upgrades
from meshproof.translate.keys import inbound_cluster
from meshproof.translate.listeners import listener
from meshproof.translate.metrics import UNKNOWN, Identity, server_metrics
from meshproof.translate.pool import connection_pool
from meshproof.translate.proto import Json, extension
from meshproof.translate.registry import Endpoint, carries, container_port
from meshproof.translate.retries import INBOUND
from meshproof.translate.vhosts import route_configuration
from meshproof.translate.view import View
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


def add_inbound(world: World, view: View, replica: Replica, log: str, config: Config) -> None:
    """Add the listener, route table and cluster of each port of ``replica``."""
    for port in replica.ports:
        name = inbound_cluster(port.port)
        served = _served(world, replica, port)
        pool = view.policy(served[0].fqdn).connection_pool if served else None
        config.clusters[name] = {
            "name": name,
            "type": "STATIC",
            "load_assignment": load_assignment(name, [Endpoint(port.app, replica.labels)]),
            **connection_pool(pool, APP_IDLE),
        }
        if served and served[1].protocol != "HTTP":
            encrypted = plain = _bytes(name, log)
        else:
            fqdn = served[0].fqdn if served else UNKNOWN
            identity = Identity(replica.namespace, replica.workload, replica.labels, fqdn)
            encrypted = _http(name, identity, log, "mutual_tls")
            plain = _http(name, identity, log, "none")
            config.routes[name] = _routes(name, replica, port, served)
        config.listeners[name] = _listener(name, port, encrypted, plain)


def _served(
    world: World, replica: Replica, port: ContainerPort
) -> tuple[Service, ServicePort] | None:
    """The first Service port that leads to this container port, if any does."""
    for service in world.services:
        if service.namespace != replica.namespace or not service.selector:
            continue
        if not carries(replica.labels, service.selector):
            continue
        for number in service.ports:
            if container_port(replica, number.target_port) == port:
                return service, number
    return None


def _listener(name: str, port: ContainerPort, encrypted: Json, plain: Json) -> Json:
    chains: list[Json] = [
        {
            "name": "tls",
            "filter_chain_match": {
                "transport_protocol": "tls",
                "application_protocols": list(tls.MESH_ALPN),
            },
            "transport_socket": tls.downstream(("http/1.1", "istio")),
            "filters": [encrypted],
        },
        {
            "name": "plain",
            "filter_chain_match": {"transport_protocol": "raw_buffer"},
            "filters": [plain],
        },
    ]
    inspector = extension("envoy.filters.listener.tls_inspector", _INSPECTOR)
    return listener(
        name,
        port.listen.ip,
        port.listen.port,
        chains,
        "INBOUND",
        listener_filters=[inspector],
        listener_filters_timeout="0s",
        continue_on_listener_filters_timeout=True,
    )


def _http(name: str, identity: Identity, log: str, security: str) -> Json:
    return manager(
        name,
        routes=name,
        logs=[*access_log(log, "inbound"), server_metrics(identity, security)],
        identity=identity,
        server_name=SERVER_NAME,
        forward_client_cert_details="APPEND_FORWARD",
        set_current_client_cert_details={"subject": True, "dns": True, "uri": True},
        upgrade_configs=upgrades("websocket"),
    )


def _bytes(name: str, log: str) -> Json:
    return extension(
        "envoy.filters.network.tcp_proxy",
        _TCP_PROXY,
        stat_prefix=name,
        cluster=name,
        access_log=access_log(log, "inbound"),
    )


def _routes(
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
    virtual_host = {"name": f"inbound|http|{number}", "domains": ["*"], "routes": [route]}
    return route_configuration(name, [virtual_host])
