"""Loops: where a sidecar sends the requests that come out of a tunnel to an HTTP port.

Istio decides by the port of a connection, whatever a request says; a forward proxy is told that
port by the client's CONNECT alone. So every HTTP port has a listener of its own inside of Envoy,
with the route table of that port.

Port 80 needs no table of its own: in ``outbound`` the hosts of port 80 have domains without a port,
so its listener takes the port off every Host header. A table that each sidecar has twice is sent
twice with every rule.
"""

from __future__ import annotations

from meshproof.model.port_protocol import handling_of
from meshproof.translate.proto import Json
from meshproof.translate.resource_names import OUTBOUND, port_routes
from meshproof.translate.traffic_policy import build_connection_pool
from meshproof.translate.world import World


def loops(world: World) -> tuple[tuple[int, str], ...]:
    """Every port of HTTP in the mesh, whoever sees it; and the name of the route table for what
    comes out of tunnels to it. EnvoyFilters tell tables apart by their ports."""
    ports = {p.port for s in world.services for p in s.ports if p.protocol == "HTTP"}
    declared = (p for entry in world.service_entries for p in entry.spec.ports)
    ports |= {p.number for p in declared if handling_of(p.effective_protocol) == "HTTP"}
    shared = () if world.envoy_filters else (_DEFAULT_PORT,)
    return tuple((p, OUTBOUND if p in shared else port_routes(p)) for p in sorted(ports))


def loop_inputs(world: World) -> tuple[object, ...]:
    """What ``loops`` depends on."""
    return world.services, world.service_entries, world.envoy_filters


_DEFAULT_PORT = 80
_IDLE = 300.0
"""Seconds until an idle loop is closed."""


def build_loop_cluster(name: str) -> Json:
    """To the listener of the same name."""
    address = {"envoy_internal_address": {"server_listener_name": name}}
    members = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": members},
        **build_connection_pool(None, _IDLE),
    }


def build_loop_listener(name: str, manager: Json) -> Json:
    return {
        "name": name,
        "internal_listener": {},
        "traffic_direction": "OUTBOUND",
        "filter_chains": [{"filters": [manager]}],
    }
