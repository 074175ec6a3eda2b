"""Gateway servers: which ones a gateway Envoy carries, port by port (Istio: mergeGateways in
pilot/pkg/model/gateway.go).

A gateway's pod listens at the targetPort of the first Service that has a server's port, so servers
of several ports may share one (resolvePorts); each of these ports then leads to all of them.
The first server of a port decides what it speaks: plain HTTP, whose servers share a route table and
a filter chain; TLS, with one or more chains a server, selected by SNI; or plain TCP, of which a
port has one server. Servers that do not fit are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.model.gateway import GatewayServer
from meshproof.translate.gateway_workloads import pod_port_of, target_port
from meshproof.translate.resource_names import gateway_routes, secure_gateway_routes
from meshproof.translate.routes import GatewayKey
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Proxy, World

Servers = list[tuple[GatewayKey, GatewayServer]]


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Servers of one port that share a filter chain; those of HTTP have a route table of that
    name."""

    name: str
    port: int
    """Where clients call."""
    servers: Servers
    pod_port: int
    """Where the pod listens in a cluster, as policies and patches see it."""

    @property
    def first(self) -> GatewayServer:
        return self.servers[0][1]

    @property
    def http(self) -> bool:
        """Whether requests are routed, rather than connections."""
        return self.first.port.speaks_http or self.first.terminates_https

    def server_names(self) -> list[str]:
        """The SNI names that it takes; empty for any."""
        return [] if "*" in self.hosts() else self.hosts()

    def hosts(self) -> list[str]:
        """Of all servers in lower case, without their namespaces."""
        hosts = (h.lower().rpartition("/")[2] for _, server in self.servers for h in server.hosts)
        return list(dict.fromkeys(hosts))


def route_tables(world: World, proxy: Proxy) -> Iterator[RouteTable]:
    """In the order of ports. Of two TLS servers with a common name the second is left out
    entirely, as in Istio (``CheckDuplicates``)."""
    for port, servers in servers_by_port(world, proxy).items():
        first, pod_port = servers[0][1], pod_port_of(world.services, proxy, port)
        if first.port.speaks_http:
            plain = [(k, s) for k, s in servers if s.port.speaks_http]
            yield RouteTable(gateway_routes(port), port, plain, pod_port)
        elif first.tls is None:
            name = secure_gateway_routes(first, servers[0][0])
            yield RouteTable(name, port, servers[:1], pod_port)
        else:
            secure = [(k, s) for k, s in servers if s.port.speaks_tls]
            yield from _tls_tables(port, secure, pod_port)


def _tls_tables(port: int, servers: Servers, pod_port: int) -> Iterator[RouteTable]:
    hosts: set[str] = set()
    for key, server in servers:
        table = RouteTable(secure_gateway_routes(server, key), port, [(key, server)], pod_port)
        if hosts.isdisjoint(table.hosts()):
            hosts.update(table.hosts())
            yield table


def servers_by_port(world: World, proxy: Proxy) -> dict[int, Servers]:
    """The servers of all Gateways that select this proxy, by the port that clients call."""
    by_target: dict[int | str, Servers] = {}
    targets: dict[int, int | str] = {}
    for gateway in world.gateways:
        if has_labels(proxy.labels, gateway.spec.selector):
            for server in gateway.spec.servers:
                number = server.port.number
                if number not in targets:
                    targets[number] = target_port(world.services, proxy, number)
                row = ((gateway.namespace, gateway.name), server)
                by_target.setdefault(targets[number], []).append(row)
    return {number: by_target[target] for number, target in sorted(targets.items())}


def passes_mesh_tls(world: World, proxy: Proxy) -> bool:
    """Whether a server of the gateway has mode AUTO_PASSTHROUGH."""
    servers = (s for own in servers_by_port(world, proxy).values() for _, s in own)
    return any(s.tls is not None and s.tls.mode == "AUTO_PASSTHROUGH" for s in servers)
