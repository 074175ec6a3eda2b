"""Gateway servers: which ones a gateway Envoy carries, port by port (Istio: mergeGateways in
pilot/pkg/model/gateway.go).

The first server of a port decides what it speaks: plain HTTP, whose servers share a route table and
a filter chain; TLS, with one or more chains a server, selected by SNI; or plain TCP, of which a
port has one server. Servers that do not fit are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.model.gateway import GatewayServer
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
    servers: Servers

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
        first = servers[0][1]
        if first.port.speaks_http:
            plain = [(k, s) for k, s in servers if s.port.speaks_http]
            yield RouteTable(gateway_routes(port), port, plain)
        elif first.tls is None:
            yield RouteTable(secure_gateway_routes(first, servers[0][0]), port, servers[:1])
        else:
            yield from _tls_tables(port, [(k, s) for k, s in servers if s.port.speaks_tls])


def _tls_tables(port: int, servers: Servers) -> Iterator[RouteTable]:
    hosts: set[str] = set()
    for key, server in servers:
        table = RouteTable(secure_gateway_routes(server, key), port, [(key, server)])
        if hosts.isdisjoint(table.hosts()):
            hosts.update(table.hosts())
            yield table


def servers_by_port(world: World, proxy: Proxy) -> dict[int, Servers]:
    """The servers of all Gateways that select this proxy, by port in order."""
    servers: dict[int, Servers] = {}
    for gateway in world.gateways:
        if has_labels(proxy.labels, gateway.spec.selector):
            for server in gateway.spec.servers:
                key = (gateway.namespace, gateway.name)
                servers.setdefault(server.port.number, []).append((key, server))
    return dict(sorted(servers.items()))


def passes_mesh_tls(world: World, proxy: Proxy) -> bool:
    """Whether a server of the gateway has mode AUTO_PASSTHROUGH."""
    servers = (s for own in servers_by_port(world, proxy).values() for _, s in own)
    return any(s.tls is not None and s.tls.mode == "AUTO_PASSTHROUGH" for s in servers)
