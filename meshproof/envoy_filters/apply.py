"""Applies the EnvoyFilters of a proxy to its configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from google.protobuf import json_format

from meshproof.envoy_filters.clusters import Locate, added_clusters, patch_cluster
from meshproof.envoy_filters.extensions import configure_extensions
from meshproof.envoy_filters.listeners import Place, added_listeners, patch_listener
from meshproof.envoy_filters.messages import to_json
from meshproof.envoy_filters.routes import patch_table, place_table
from meshproof.envoy_filters.rules import Rules
from meshproof.istio_names import (
    CLUSTER_DOMAIN,
    VIRTUAL_INBOUND,
    ClusterName,
    connect_loop,
    is_inbound,
)
from meshproof.model.pod_network import BYPASS_LISTENER
from meshproof.translate.addresses import envoy_address
from meshproof.translate.gateway_workloads import pod_port_of
from meshproof.translate.proto import Json
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.relay import BYPASS
from meshproof.translate.resource_names import PROBE
from meshproof.translate.world import Config, Proxy, Resource, World
from meshproof.xds.any_types import ensure_types

_LOOP = connect_loop(0).removesuffix("0")
"""In proxy mode what comes through a tunnel to an HTTP port has a listener of that port."""
_OUTSIDE = "outside|"
"""Ways out of the pods, which Istio does not have."""


def apply_filters(
    config: Config, rules: Rules, world: World, proxy: Proxy, *, outbound: bool
) -> Config:
    """``config`` with the patches; ``outbound`` says that it is what replicas share, where new
    clusters for outgoing calls belong."""
    if not rules.rules:
        return config
    gateway = proxy.kind == "gateway"
    pod_port = partial(pod_port_of, world.services, proxy)
    result = Config(endpoints=dict(config.endpoints))
    for name, table in config.routes.items():
        message = _message(route_pb2.RouteConfiguration, table)
        patch_table(message, place_table(name, _context(name, gateway=gateway), pod_port), rules)
        result.routes[name] = to_json(message)
    for name, listener in config.listeners.items():
        if _is_ours(name):
            result.listeners[name] = listener
            continue
        message = _message(listener_pb2.Listener, listener)
        if patch_listener(message, _place(name, listener, pod_port if gateway else None), rules):
            result.listeners[name] = to_json(message)
    for added in [] if outbound else _added_listeners(config, rules, gateway=gateway):
        result.listeners[added.name] = to_json(added)
    for listener in result.listeners.values():
        configure_extensions(listener, rules)
    services = {s.fqdn for s in world.services if s.selects(proxy.namespace, proxy.labels)}
    for name, cluster in config.clusters.items():
        message = _message(cluster_pb2.Cluster, cluster)
        own = _is_ours(name) or name.startswith(_LOOP)
        if own or patch_cluster(message, _context(name, gateway=gateway), rules, services):
            result.clusters[name] = cluster if own else to_json(message)
        else:
            result.endpoints.pop(name, None)
    context = "GATEWAY" if gateway else "SIDECAR_OUTBOUND" if outbound else "SIDECAR_INBOUND"
    if outbound or not gateway:
        for cluster in added_clusters(context, rules, _locator(world, proxy)):
            result.clusters[cluster.name] = to_json(cluster)
    return result


def _added_listeners(config: Config, rules: Rules, *, gateway: bool) -> Iterator[Any]:
    """Those of a proxy that has a network to itself, in a pod, listen where they say."""
    contexts = ("GATEWAY",) if gateway else ("SIDECAR_INBOUND", "SIDECAR_OUTBOUND")
    probe: Any = config.listeners.get(PROBE, {}).get("address", {})
    ip = probe.get("socket_address", {}).get("address", "")
    for context in contexts:
        yield from added_listeners(context, rules, ip)


def _message(kind: Any, resource: Resource) -> Any:
    ensure_types(resource)
    return json_format.ParseDict(resource, kind())


def _is_ours(name: str) -> bool:
    return name in (PROBE, BYPASS_LISTENER) or name.startswith((_OUTSIDE, BYPASS))


def _context(name: str, *, gateway: bool) -> str:
    if gateway:
        return "GATEWAY"
    return "SIDECAR_INBOUND" if is_inbound(name) else "SIDECAR_OUTBOUND"


def _place(name: str, listener: Any, pod_port: Callable[[int], int] | None) -> Place:
    """``pod_port`` tells the pod's own port behind that of a gateway's server."""
    if pod_port is not None:
        # http.80 is Istio's listener 0.0.0.0_8080, or wherever the gateway's pod listens
        port = name.split(".")[1] if "." in name else ""
        number = pod_port(int(port)) if port.isdigit() else 0
        return Place("GATEWAY", f"0.0.0.0_{number}", number)
    cluster = ClusterName.parse(name)
    if cluster is not None:
        return Place("SIDECAR_INBOUND", VIRTUAL_INBOUND, cluster.port)
    if name.startswith(_LOOP):
        number = int(name.removeprefix(_LOOP))
        return Place("SIDECAR_OUTBOUND", f"0.0.0.0_{number}", number)
    if name == VIRTUAL_INBOUND:
        return Place("SIDECAR_INBOUND", VIRTUAL_INBOUND, 0)
    socket = listener["address"].get("socket_address", {})
    return Place("SIDECAR_OUTBOUND", name, socket.get("port_value", 0))


def _locator(world: World, proxy: Proxy) -> Locate:
    view = ProxyView(world, proxy)

    def locate(host: str, port: int) -> list[Json]:
        for name in _names(host, proxy.namespace):
            known = view.visible_hosts.get(name)
            if known is not None and known.port(port) is not None:
                return [envoy_address(e.address) for e in known.endpoints[port]]
        outside = (o.ports.get(port) for o in view.world.outside if o.host == host)
        return [envoy_address(address) for address in outside if address is not None][:1]

    return locate


def _names(host: str, namespace: str) -> Iterator[str]:
    plain = host.removesuffix(".").lower()
    yield plain
    yield f"{plain}.{namespace}.{CLUSTER_DOMAIN}"
    yield f"{plain}.{CLUSTER_DOMAIN}"
    yield f"{plain}.cluster.local"
