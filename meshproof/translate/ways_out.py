"""Ways out of the pods: Unix sockets where the gateway's Envoy takes connections for the declared
hosts outside the mesh, whose addresses exist in the host's network alone."""

from __future__ import annotations

from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE, ClusterName
from meshproof.translate.clusters import OUTSIDE_IDLE, build_load_assignment
from meshproof.translate.host import Endpoint
from meshproof.translate.listeners import build_listener
from meshproof.translate.proto import build_extension, pipe_address
from meshproof.translate.traffic_policy import build_connection_pool
from meshproof.translate.world import Config, Proxy, World

_TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


def add_ways_out(world: World, proxy: Proxy, config: Config) -> None:
    """Add a listener and a cluster ``outside|443||api.example.com`` for each Unix socket, to the
    ingress gateway, which runs as long as the mesh. Aliases of a host share its sockets. The bytes
    pass as they are, and leave no access log: the pod's sidecar has logged them."""
    if (proxy.namespace, proxy.workload) != (ROOT_NAMESPACE, INGRESS_GATEWAY):
        return
    handled: set[str] = set()
    for host in world.outside:
        for port, path in sorted(host.pipes.items()):
            if path in handled:
                continue
            handled.add(path)
            name = str(ClusterName("outside", port, "", host.host))
            endpoint = Endpoint(host.ports[port], {})
            config.clusters[name] = {
                "name": name,
                "type": "STATIC",
                "load_assignment": build_load_assignment(name, [endpoint]),
                **build_connection_pool(None, OUTSIDE_IDLE),
            }
            tcp_proxy = build_extension(
                "envoy.filters.network.tcp_proxy", _TCP_PROXY, stat_prefix=name, cluster=name
            )
            listener = build_listener(name, "", 0, [{"filters": [tcp_proxy]}], "OUTBOUND")
            config.listeners[name] = {**listener, "address": pipe_address(path)}
