"""ALLOW_ANY: what may be called without a rule: declared outside hosts, and, in pods, other pods.

Istio sends such a connection to its original destination (PassthroughCluster, ORIGINAL_DST). A
forward proxy knows the host name alone, and an embedded mesh never leaves this machine. So every
declared outside host is reachable at its declared ports, through one cluster of that name. In pods
any other address is one of the pods' own network, which has no way out: a pod that has it answers,
or nobody does. Without pods all other hosts stay refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from meshproof.translate.addresses import envoy_address
from meshproof.translate.proto import Json
from meshproof.translate.world import Outside

CLUSTER = "PassthroughCluster"
POD_NETWORK = "PodNetwork"
"""The cluster of connections to an address that is no Service's and no outside host's."""
ROUTE = "allow_any"
_LB = "envoy.lb"
_KEY = "to"


def open_ports(outside: Iterable[Outside]) -> Iterator[tuple[str, int]]:
    """Every declared host with each of its ports."""
    return ((o.host, port) for o in outside for port in sorted(o.ports))


def build_routes(host: str, port: int) -> list[Json]:
    """The routes to one of them: a tunnel, and plain HTTP."""
    tunnel = [{"upgrade_type": "CONNECT", "connect_config": {}}]
    connect: Json = {
        "name": ROUTE,
        "match": {"connect_matcher": {}},
        "route": {**_target(host, port), "timeout": "0s", "upgrade_configs": tunnel},
    }
    return [connect, *build_http_routes(host, port)]


def build_http_routes(host: str, port: int) -> list[Json]:
    """The route of plain HTTP alone."""
    action = {**_target(host, port), "timeout": "0s"}
    return [{"name": ROUTE, "match": {"prefix": "/"}, "route": action}]


def targets(
    outside: Iterable[Outside], addresses: Mapping[str, str]
) -> Iterator[tuple[str, int, Json]]:
    """Of each host and port that has an address in the pods: that address, the port, and where a
    connection to it goes."""
    for host, port in open_ports(outside):
        if address := addresses.get(host.lower()):
            yield address, port, _target(host, port)


def build_original(name: str, **fields: object) -> Json:
    """A cluster by which a connection goes to the very address that it is for."""
    return {"name": name, "type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED", **fields}


def build_allow_any(cluster: str = POD_NETWORK, *, tunnels: bool = False) -> Json:
    """The virtual host of every other host (buildCatchAllVirtualHost): its requests, and where a
    listener opens ``tunnels`` the bytes in them, go to ``cluster``."""
    action = {"cluster": cluster, "timeout": "0s"}
    routes: list[Json] = [{"name": ROUTE, "match": {"prefix": "/"}, "route": action}]
    if tunnels:
        upgrade = [{"upgrade_type": "CONNECT", "connect_config": {}}]
        tunnel = {**action, "upgrade_configs": upgrade}
        routes.insert(0, {"name": ROUTE, "match": {"connect_matcher": {}}, "route": tunnel})
    return {"name": ROUTE, "domains": ["*"], "routes": routes}


def _target(host: str, port: int) -> Json:
    match = {"filter_metadata": {_LB: {_KEY: f"{host}:{port}"}}}
    return {"cluster": CLUSTER, "metadata_match": match}


def build_cluster(outside: Iterable[Outside], name: str = CLUSTER, **fields: object) -> Json:
    """The one cluster, with a subset for each host and port."""
    members = [
        {
            "endpoint": {"address": envoy_address(address)},
            "metadata": {"filter_metadata": {_LB: {_KEY: f"{o.host}:{port}"}}},
        }
        for o in outside
        for port, address in sorted(o.ports.items())
    ]
    return {
        "name": name,
        "type": "STATIC",
        "lb_subset_config": {
            "fallback_policy": "NO_FALLBACK",
            "subset_selectors": [{"keys": [_KEY]}],
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": members}] if members else [],
        },
        **fields,
    }
