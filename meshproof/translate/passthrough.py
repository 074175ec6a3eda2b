"""ALLOW_ANY: what no rule opens is let out all the same, as far as it is declared.

Istio sends such a connection where it was going (PassthroughCluster, ORIGINAL_DST). A forward proxy
has names alone, and an embedded mesh never leaves this machine: so every declared outside host is
reached at its declared ports, through one cluster of that name; other hosts stay refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.translate.proto import Json, tcp
from meshproof.translate.world import Outside

CLUSTER = "PassthroughCluster"
ROUTE = "allow_any"
_LB = "envoy.lb"
_KEY = "to"


def places(outside: Iterable[Outside]) -> Iterator[tuple[str, int]]:
    """Every host and port that is let out."""
    return ((o.host, port) for o in outside for port in sorted(o.ports))


def routes(host: str, port: int) -> list[Json]:
    """A tunnel, and plain HTTP, to one of them."""
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


def cluster(outside: Iterable[Outside], **fields: object) -> Json:
    """The one cluster; a subset of its own for each host and port."""
    members = [
        {
            "endpoint": {"address": tcp(real.ip, real.port)},
            "metadata": {"filter_metadata": {_LB: {_KEY: f"{o.host}:{port}"}}},
        }
        for o in outside
        for port, real in sorted(o.ports.items())
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
