"""ALLOW_ANY: declared outside hosts that may be called without a rule.

Istio sends such a connection to its original destination (PassthroughCluster, ORIGINAL_DST). A
forward proxy knows the host name alone, and an embedded mesh never leaves this machine. So every
declared outside host is reachable at its declared ports, through one cluster of that name; all
other hosts stay refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.translate.proto import Json, socket_address
from meshproof.translate.world import Outside

CLUSTER = "PassthroughCluster"
ROUTE = "allow_any"
_LB = "envoy.lb"
_KEY = "to"


def open_ports(outside: Iterable[Outside]) -> Iterator[tuple[str, int]]:
    """Every declared host with each of its ports."""
    return ((o.host, port) for o in outside for port in sorted(o.ports))


def build_routes(host: str, port: int) -> list[Json]:
    """The routes to one of them: a tunnel, and plain HTTP."""
    action: Json = {
        "cluster": CLUSTER,
        "timeout": "0s",
        "metadata_match": {"filter_metadata": {_LB: {_KEY: f"{host}:{port}"}}},
    }
    tunnel = [{"upgrade_type": "CONNECT", "connect_config": {}}]
    connect: Json = {
        "name": ROUTE,
        "match": {"connect_matcher": {}},
        "route": {**action, "upgrade_configs": tunnel},
    }
    return [connect, {"name": ROUTE, "match": {"prefix": "/"}, "route": action}]


def build_cluster(outside: Iterable[Outside], **fields: object) -> Json:
    """The one cluster, with a subset for each host and port."""
    members = [
        {
            "endpoint": {"address": socket_address(address.ip, address.port)},
            "metadata": {"filter_metadata": {_LB: {_KEY: f"{o.host}:{port}"}}},
        }
        for o in outside
        for port, address in sorted(o.ports.items())
    ]
    return {
        "name": CLUSTER,
        "type": "STATIC",
        "lb_subset_config": {
            "fallback_policy": "NO_FALLBACK",
            "subset_selectors": [{"keys": [_KEY]}],
        },
        "load_assignment": {
            "cluster_name": CLUSTER,
            "endpoints": [{"lb_endpoints": members}] if members else [],
        },
        **fields,
    }
