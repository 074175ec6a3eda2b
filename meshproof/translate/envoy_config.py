"""The configuration of one Envoy: what all replicas of a workload share, and what each has alone.

What they share (``build_outbound``) is built and serialised once, apart from what each replica has
of its own (``build_sidecar``, ``build_gateway``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from meshproof.istio_names import BLACK_HOLE_CLUSTER, connect_loop
from meshproof.model.capture import EVERYTHING
from meshproof.translate.clusters import add_outbound_clusters, add_sni_dnat_clusters
from meshproof.translate.connect_loops import (
    build_loop_cluster,
    build_loop_listener,
    loops,
)
from meshproof.translate.gateway_servers import passes_mesh_tls
from meshproof.translate.gateways import add_gateway_routes, gateway_listeners
from meshproof.translate.hcm import upgrade_configs
from meshproof.translate.inbound import add_inbound
from meshproof.translate.inbound_passthrough import add_passthrough
from meshproof.translate.listeners import (
    build_outbound_listener,
    build_outbound_manager,
    build_probe_listener,
)
from meshproof.translate.outbound_chains import ChainBuilder
from meshproof.translate.outbound_listeners import (
    build_black_hole_cluster,
    build_outbound_listeners,
)
from meshproof.translate.outbound_routes import build_outbound_routes
from meshproof.translate.port_routes import build_port_routes, build_tunnel_routes
from meshproof.translate.proxy_view import HOST_INPUTS, ProxyView
from meshproof.translate.relay import (
    add_bypass,
    add_open_ports,
    add_relay_clusters,
    build_relay,
)
from meshproof.translate.resource_names import OUTBOUND, PROBE
from meshproof.translate.telemetry import select_reporting
from meshproof.translate.wasm_plugins import select_plugins
from meshproof.translate.ways_out import add_ways_out
from meshproof.translate.workload_metadata import WorkloadMetadata
from meshproof.translate.world import Config, Proxy, Replica, World, select_fields


def proxy_of(replica: Replica) -> Proxy:
    """The sidecar of ``replica`` as the rules see it."""
    return Proxy(
        "sidecar" if replica.sidecar else "relay",
        replica.namespace,
        replica.workload,
        replica.labels,
        replica.service_account,
    )


def build_outbound(world: World, proxy: Proxy) -> Config:
    """What all Envoys of one workload share: clusters, endpoints and routes.

    A sidecar has the RouteConfiguration ``outbound``, and one for each further HTTP port: for what
    is inside of tunnels. In a pod there is one for each HTTP port, for everything. A
    gateway has ``http.<port>`` for each Gateway server port. ``eds_clusters`` names the clusters
    that ``endpoints`` belong to.
    """
    config = build_outbound_clusters(world, proxy)
    return replace(config, routes=build_routes(world, proxy).routes)


def build_outbound_clusters(world: World, proxy: Proxy) -> Config:
    """The clusters and endpoints of ``build_outbound``, which depend on ``cluster_inputs``."""
    view, config = ProxyView(world, proxy), Config()
    if proxy.kind == "relay":
        add_relay_clusters(view, config)
        return config
    add_outbound_clusters(view, config)
    if proxy.kind == "gateway":
        if passes_mesh_tls(world, proxy):
            add_sni_dnat_clusters(view, config)
    elif world.pods:
        config.clusters[BLACK_HOLE_CLUSTER] = build_black_hole_cluster()
    return config


def build_routes(world: World, proxy: Proxy) -> Config:
    """The routes of ``build_outbound``."""
    view, config = ProxyView(world, proxy), Config()
    if proxy.kind == "relay":
        return config
    if proxy.kind == "gateway":
        add_gateway_routes(view, world, config)
    elif world.pods:
        config.routes.update(build_port_routes(view))
    else:
        config.routes[OUTBOUND] = build_outbound_routes(view)
        ports = (port for port, table in loops(world) if table != OUTBOUND)
        config.routes.update(build_tunnel_routes(view, ports))
    return config


def cluster_inputs(world: World) -> tuple[object, ...]:
    """What ``build_outbound_clusters`` depends on beside the proxy. Rules count only where a
    Sidecar limits what a proxy knows: then they add their destinations."""
    rules = world.virtual_services if world.sidecars else ()
    return (*select_fields(world, CLUSTER_INPUTS), rules)


CLUSTER_INPUTS = (
    *HOST_INPUTS,
    *("destination_rules", "sidecars", "gateways", "tls_secrets", "missing_files", "proxy_configs"),
)


def build_sidecar(world: World, replica: Replica, *, access_log: str = "") -> Config:
    """A sidecar's own resources, beside ``build_outbound(world, proxy_of(replica))``.

    Listeners: ``outbound`` at ``PROXY_PORT``, ``inbound|<port>||`` for each container port,
    ``probe`` at ``PROBE_PORT``. Clusters and routes of the inbound ports. For each HTTP port a
    listener and a cluster ``connect_loop|<port>``, which only this Envoy can reach. In a pod:
    ``virtualOutbound`` and the listeners behind it instead of ``outbound``, and no loops; and
    ``virtualInbound`` for the ports that nothing declares.
    ``access_log`` is the file for JSON lines; empty for no log. Of a pod without a sidecar: its
    relay's.
    """
    view = ProxyView(world, proxy_of(replica))
    if not replica.sidecar:
        config = build_relay(view, replica)
        config.listeners[PROBE] = build_probe_listener(replica.ip, access_log, replica.probe)
        return config
    workload = WorkloadMetadata(replica.namespace, replica.workload, replica.labels)
    config = Config()
    capture = replica.capture if world.pods else EVERYTHING
    own = [port for port in replica.ports if capture.takes_inbound(port.port)]
    add_inbound(view.world, view, replace(replica, ports=tuple(own)), access_log, config)
    report = select_reporting(world, replica, "CLIENT")
    plugins = select_plugins(world, replica, "CLIENT")
    config.listeners[PROBE] = build_probe_listener(replica.ip, access_log, replica.probe)
    if world.pods:
        add_passthrough(view.world, view, replica, access_log, config)
        chains = ChainBuilder(view, workload, access_log, report, plugins)
        config.listeners.update(build_outbound_listeners(view, chains, replica.ip))
        add_open_ports((p for p in replica.ports if p not in own), replica, config)
        if not capture.takes_all_outbound:
            add_bypass(view, config)
        return config
    for port, table in loops(world):
        name = connect_loop(port)
        config.clusters[name] = build_loop_cluster(name)
        manager = build_outbound_manager(
            table,
            workload,
            access_log,
            report,
            view.mesh,
            first_filters=plugins.http_filters(port),
            upgrade_configs=upgrade_configs("websocket"),
            strip_any_host_port=table == OUTBOUND,
        )
        config.listeners[name] = build_loop_listener(name, manager)
    config.listeners[OUTBOUND] = build_outbound_listener(
        replica.ip, workload, access_log, report, view.mesh, plugins=plugins
    )
    return config


def build_gateway(
    world: World, proxy: Proxy, ip: str, port_map: Mapping[int, int], *, access_log: str = ""
) -> Config:
    """A gateway's own resources, beside ``build_outbound(world, proxy)``.

    A listener ``http.<port>`` for each Gateway server port (bound to ``ip`` at the port that
    ``port_map`` gives, or the same one), and ``probe`` at ``PROBE_PORT``. For pods, a listener
    ``outside|<port>||<host>`` for each port of each outside host: their way out.
    """
    config = Config()
    config.listeners.update(gateway_listeners(world, proxy, ip, port_map, access_log))
    add_ways_out(world, proxy, config)
    config.listeners[PROBE] = build_probe_listener(ip, access_log)
    return config
