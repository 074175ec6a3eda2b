"""The relay of a pod without a sidecar: what the network of a Kubernetes node does for such a pod.

Its connections are captured as any pod's, since a pod here has no interface but its loopback. An
Envoy without a rule and without TLS passes them on as bytes: to the ClusterIP of a Service as
kube-proxy does (iptables mode: any ready endpoint, at random), to a declared outside address, or to
a pod's own address. What arrives for the pod reaches its app from the caller's own address. A
sidecar does the same for what its pod's annotations exclude from it (``model.capture``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.istio_names import (
    INBOUND_PASSTHROUGH_CLUSTER,
    VIRTUAL_INBOUND,
    inbound_cluster,
    outbound_cluster,
)
from meshproof.model.pod_network import BYPASS_LISTENER, BYPASS_PORT, OUTBOUND_PORT
from meshproof.translate import passthrough
from meshproof.translate.clusters import build_load_assignment
from meshproof.translate.host import Endpoint, Host
from meshproof.translate.inbound import FROM_SIDECAR, place_inbound
from meshproof.translate.inbound_inspectors import ORIGINAL_DESTINATION
from meshproof.translate.inbound_passthrough import build_catch_all, build_passthrough_cluster
from meshproof.translate.listeners import build_listener
from meshproof.translate.outbound_listeners import VIRTUAL_OUTBOUND
from meshproof.translate.proto import ADS, Json, build_extension
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.traffic_policy import CONNECT_TIMEOUT
from meshproof.translate.world import Config, ContainerPort, Replica, ServicePort

_TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
_ORIGINAL_SOURCE = "envoy.extensions.filters.listener.original_src.v3.OriginalSrc"
BYPASS = "bypass|"
"""Before the names of clusters that a sidecar leads to without a rule."""
_TIMEOUT = f"{CONNECT_TIMEOUT:g}s"


def add_relay_clusters(view: ProxyView, config: Config, prefix: str = "") -> None:
    """Add what every relay of a mesh may pass connections on to."""
    for host, port in _service_ports(view):
        name = prefix + outbound_cluster(port.port, host.name)
        # Of what selects workloads, WorkloadEntries are Istio's alone.
        replicas = [e for e in host.endpoints[port.port] if e.workload]
        config.clusters[name] = {
            "name": name,
            "type": "EDS",
            "eds_cluster_config": {"eds_config": ADS},
            "connect_timeout": _TIMEOUT,
            "lb_policy": "RANDOM",
        }
        config.endpoints[name] = build_load_assignment(name, replicas)
    outside, network = prefix + passthrough.CLUSTER, prefix + passthrough.POD_NETWORK
    config.clusters[outside] = passthrough.build_cluster(
        view.world.outside, outside, connect_timeout=_TIMEOUT
    )
    config.clusters[network] = passthrough.build_original(network, connect_timeout=_TIMEOUT)


def add_bypass(view: ProxyView, config: Config) -> None:
    """Add the listener of a sidecar for connections that are not its own, and what it leads to."""
    add_relay_clusters(view, config, BYPASS)
    rows = [
        _to(host.addresses[0], port.port, _chain(BYPASS + outbound_cluster(port.port, host.name)))
        for host, port in _service_ports(view)
    ]
    rows += _outside_chains(view, BYPASS)
    rows.append(_chain(BYPASS + passthrough.POD_NETWORK))
    config.listeners[BYPASS_LISTENER] = build_listener(
        BYPASS_LISTENER,
        "127.0.0.1",
        BYPASS_PORT,
        rows,
        "OUTBOUND",
        listener_filters=[ORIGINAL_DESTINATION],
    )


def add_open_ports(ports: Iterable[ContainerPort], replica: Replica, config: Config) -> None:
    """Add the listener and the cluster of ports that no sidecar stands before."""
    for own in ports:
        name = inbound_cluster(own.port)
        config.listeners[name] = _build_inbound(name, own)
        config.clusters[name] = {
            "name": name,
            "type": "STATIC",
            "connect_timeout": _TIMEOUT,
            "load_assignment": build_load_assignment(name, [Endpoint(own.app, replica.labels)]),
            **FROM_SIDECAR,
        }


def build_relay(view: ProxyView, replica: Replica) -> Config:
    """A relay's listeners, and the clusters of its pod's own ports."""
    config = Config()
    for host, port in _service_ports(view):
        name = f"{host.addresses[0]}_{port.port}"
        chain = _chain(outbound_cluster(port.port, host.name))
        config.listeners[name] = build_listener(
            name, host.addresses[0], port.port, [chain], "OUTBOUND", bind_to_port=False
        )
    config.listeners[VIRTUAL_OUTBOUND] = _build_virtual(view)
    config.listeners[VIRTUAL_INBOUND] = build_catch_all(
        replica,
        [_chain(INBOUND_PASSTHROUGH_CLUSTER)],
        listener_filters=[ORIGINAL_DESTINATION, _keep_caller()],
    )
    config.clusters[INBOUND_PASSTHROUGH_CLUSTER] = build_passthrough_cluster(
        connect_timeout=_TIMEOUT
    )
    add_open_ports(replica.ports, replica, config)
    return config


def _service_ports(view: ProxyView) -> Iterator[tuple[Host, ServicePort]]:
    """Every port of a Service that has a ClusterIP, whatever its protocol."""
    services = {s.fqdn: s for s in view.world.services if s.cluster_ip}
    for host in view.registry:
        service = services.get(host.name)
        if service is not None and service.namespace == host.namespace:
            yield from ((host, port) for port in service.ports)


def _build_virtual(view: ProxyView) -> Json:
    """The listener that every connection reaches first; what no Service's takes stays with it."""
    rows = [*_outside_chains(view), _chain(passthrough.POD_NETWORK)]
    return build_listener(
        VIRTUAL_OUTBOUND, "127.0.0.1", OUTBOUND_PORT, rows, "OUTBOUND", use_original_dst=True
    )


def _outside_chains(view: ProxyView, prefix: str = "") -> Iterator[Json]:
    for address, port, target in passthrough.targets(view.world.outside, view.world.addresses):
        yield _to(address, port, _chain(**{**target, "cluster": prefix + target["cluster"]}))


def _to(address: str, port: int, chain: Json) -> Json:
    """A chain for connections to one address and port."""
    match = {
        "destination_port": port,
        "prefix_ranges": [{"address_prefix": address, "prefix_len": 32}],
    }
    return {"filter_chain_match": match, **chain}


def _build_inbound(name: str, port: ContainerPort) -> Json:
    """Keeps the caller's address where it has one: a gateway's connection, which comes by a Unix
    socket, is seen as one from 127.0.0.6."""
    listener = build_listener(
        name,
        port.listen.ip,
        port.listen.port,
        [_chain(name)],
        "INBOUND",
        listener_filters=[_keep_caller()],
    )
    return place_inbound(listener, port, in_pod=True)


def _keep_caller() -> Json:
    return build_extension("envoy.filters.listener.original_src", _ORIGINAL_SOURCE)


def _chain(cluster: str, **fields: object) -> Json:
    proxy = build_extension(
        "envoy.filters.network.tcp_proxy",
        _TCP_PROXY,
        stat_prefix=cluster,
        cluster=cluster,
        **fields,
    )
    return {"filters": [proxy]}
