"""Route tables of one HTTP port each, as Istio has them (core/httproute.go): for sidecars in pods,
and for what is inside of tunnels.

A table of a port ignores the port that a request names, since the connection's own decides. A port
without a protocol, of a Service with an address, has a table of its own with that host alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.translate import passthrough
from meshproof.translate.host import Host
from meshproof.translate.mesh_settings import counts_attempts
from meshproof.translate.outbound_routes import (
    VirtualHosts,
    build_block_all,
    build_route_configuration,
    http_hosts,
)
from meshproof.translate.proto import Json
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.resource_names import port_routes, sniffed_routes
from meshproof.translate.world import Resource, ServicePort


def build_port_routes(view: ProxyView) -> dict[str, Resource]:
    """Every table that a listener of a sidecar in a pod asks for, by name."""
    tables: dict[str, Resource] = {}
    by_port: dict[int, list[Json]] = {}
    for host in view.hosts.values():
        for port in host.ports if not host.alias_of else ():
            if port.protocol != "HTTP":
                continue
            if port.port not in by_port:
                by_port[port.port] = _virtual_hosts(view, port.port)
            rows = by_port[port.port]
            if has_own_table(host, port):
                name = sniffed_routes(host.name, port.port)
                tables[name] = build_route_configuration(name, _only(rows, name))
            else:
                name = port_routes(port.port)
                tables[name] = build_route_configuration(name, [*rows, _others(view)])
            tables[name]["ignore_port_in_host_matching"] = True
    return tables


def _others(view: ProxyView) -> Json:
    """The virtual host of what a pod may not call, or may call without a rule."""
    if not view.allows_any:
        return build_block_all(view)
    count = counts_attempts(view.mesh)
    others = passthrough.build_allow_any(view.egress_proxy or passthrough.POD_NETWORK)
    return {**others, "include_request_attempt_count": count}


def build_tunnel_routes(view: ProxyView, ports: Iterable[int]) -> dict[str, Resource]:
    """A table for what comes through tunnels to each of ``ports``: the tunnel's port decides,
    whatever the requests inside name."""
    return {
        port_routes(port): {
            **build_route_configuration(
                port_routes(port), [*_virtual_hosts(view, port), build_block_all(view)]
            ),
            "ignore_port_in_host_matching": True,
        }
        for port in ports
    }


def has_own_table(host: Host, port: ServicePort) -> bool:
    """Whether the HTTP of a port is routed apart from all other hosts: its protocol is to be
    recognised, and it has a listener of its own."""
    addressed = host.headless or any("/" not in address for address in host.addresses)
    return port.kind == "AUTO" and addressed


def _virtual_hosts(view: ProxyView, port: int) -> list[Json]:
    hosts = VirtualHosts(view, of_port=True)
    for name, routes in http_hosts(view, port):
        hosts.add(name, port, routes)
    for name, number in passthrough.open_ports(view.passthrough_hosts()):
        if number == port:
            hosts.add(name, number, passthrough.build_http_routes(name, number))
    return hosts.sorted()


def _only(rows: list[Json], name: str) -> list[Json]:
    """The virtual host of that name, for whatever host a request names."""
    return [{**row, "domains": ["*"]} for row in rows if row["name"] == name]
