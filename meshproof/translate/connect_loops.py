"""Loops: where a sidecar sends the requests that come out of a tunnel to an HTTP port.

Istio decides by the port of a connection, whatever a request says; a forward proxy is told that
port by the client's CONNECT alone. So every HTTP port has a listener of its own inside of Envoy,
with the route table of that port.
"""

from __future__ import annotations

from meshproof.model.port_protocol import handling_of
from meshproof.translate.proto import Json
from meshproof.translate.traffic_policy import build_connection_pool
from meshproof.translate.world import World


def loop_ports(world: World) -> tuple[int, ...]:
    """Every port of HTTP in the mesh, whoever sees it."""
    ports = {p.port for s in world.services for p in s.ports if p.protocol == "HTTP"}
    declared = (p for entry in world.service_entries for p in entry.spec.ports)
    ports |= {p.number for p in declared if handling_of(p.effective_protocol) == "HTTP"}
    return tuple(sorted(ports))


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
