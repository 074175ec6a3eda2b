"""What a sidecar knows of the app behind a port: by a Service's port, or by a Sidecar's ingress.

Where a Sidecar has ``ingress``, its listeners alone say what the app speaks on which port and where
it listens; every other port passes on what comes, as one that no Service leads to (Istio:
buildInboundChainConfigs in core/listener_inbound.go, buildInboundClustersFromSidecar in
core/cluster.go).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.model.destination_rule import ConnectionPool
from meshproof.model.port_protocol import GRPC, H2, handling_of
from meshproof.model.sidecar import IngressListener, Sidecar
from meshproof.translate.endpoints import container_port
from meshproof.translate.workload_metadata import UNKNOWN
from meshproof.translate.world import (
    Address,
    ContainerPort,
    Named,
    Replica,
    Service,
    ServicePort,
    World,
)

LOCALHOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Server:
    """The server behind a container port. ``host`` is what metrics call it; ``port`` is None where
    nothing tells the protocol."""

    host: str
    port: ServicePort | None
    service: str
    """The Service whose DestinationRule has a say; empty for none."""
    app: Address | None
    """Where the app listens; None where that is not known."""
    pool: ConnectionPool | None = None
    """The Sidecar's, which wins over a DestinationRule's."""


def find_server(
    world: World, replica: Replica, port: ContainerPort, sidecar: Named[Sidecar] | None
) -> Server:
    """The server behind ``port``, under the Sidecar that governs the replica."""
    services = list(_service_ports(world, replica, port))
    service = services[0][0].fqdn if services else ""
    pool = sidecar.spec.inbound_connection_pool if sidecar else None
    if sidecar is None or not sidecar.spec.ingress:
        number = services[0][1] if services else None
        return Server(service or UNKNOWN, number, service, port.app, pool)
    for listener in sidecar.spec.ingress:
        if listener.port.number == port.port:
            app = _app(world, replica, port.app, listener)
            return _ingress_server(sidecar, listener, service, app)
    return Server(UNKNOWN, None, "", port.app, pool)


def ingress_servers(
    world: World, replica: Replica, sidecar: Named[Sidecar] | None
) -> Iterator[tuple[int, Server]]:
    """By port, the servers that a Sidecar's ingress declares, whatever else declares them."""
    for listener in sidecar.spec.ingress if sidecar is not None else ():
        number = listener.port.number
        app = _app(world, replica, Address(replica.ip, number), listener)
        assert sidecar is not None, "it has this listener"
        yield number, _ingress_server(sidecar, listener, "", app)


def _ingress_server(
    sidecar: Named[Sidecar], listener: IngressListener, service: str, app: Address | None
) -> Server:
    pool = listener.connection_pool or sidecar.spec.inbound_connection_pool
    host = f"{sidecar.name}.{sidecar.namespace}"
    return Server(host, _ingress_port(listener), service, app, pool)


def _service_ports(
    world: World, replica: Replica, port: ContainerPort
) -> Iterator[tuple[Service, ServicePort]]:
    """The Service ports that lead to this container port; the first counts."""
    for service in world.services:
        if not service.selects(replica.namespace, replica.labels):
            continue
        for number in service.ports:
            if container_port(replica, number.target_port) == port:
                yield service, number


def _ingress_port(listener: IngressListener) -> ServicePort:
    port, protocol = listener.port, listener.port.protocol
    handling = handling_of(protocol or "HTTP")
    h2 = protocol in H2 if protocol else None
    name, grpc = port.name or "", protocol in GRPC
    return ServicePort(name, port.number, port.number, handling, h2, grpc)


def _app(world: World, replica: Replica, own: Address, listener: IngressListener) -> Address | None:
    """``own`` is the port's own. Without pods an app is where it was told to listen: one port of
    its own is another's neighbour, and localhost is the whole machine's."""
    if listener.endpoint is None:
        return own
    host, number = listener.endpoint
    if world.pods:
        return Address(LOCALHOST if host == LOCALHOST else replica.ip, number)
    declared = next((p.app for p in replica.ports if p.port == number), None)
    if declared is None and own.ip:
        return Address(own.ip, number)
    return declared
