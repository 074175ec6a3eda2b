"""From the mesh's rules to Envoy's resources. Pure: a ``World`` in, dicts out, no I/O.

Every resource is a dict in protobuf's JSON form with snake_case names, ready for
``json_format.ParseDict``; equal worlds give equal resources in equal order. What is the same for
all replicas of a workload (``outbound``) is apart from what is each replica's own (``sidecar``,
``gateway``), so that the former is made and serialised once.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.translate.bootstrap import bootstrap
from meshproof.translate.clusters import MESH_IDLE, add_outbound, eds_clusters, load_assignment
from meshproof.translate.gateways import add_gateway_routes, gateway_listeners
from meshproof.translate.inbound import add_inbound
from meshproof.translate.listeners import outbound_listener, probe_listener
from meshproof.translate.outbound_routes import outbound_routes
from meshproof.translate.proxy_view import ProxyView, scope
from meshproof.translate.referenced_clusters import referenced_clusters
from meshproof.translate.registry import Endpoint
from meshproof.translate.resource_names import CONNECT_LOOP, OUTBOUND
from meshproof.translate.security_filters import security_filters
from meshproof.translate.telemetry import reporting
from meshproof.translate.tls import secrets
from meshproof.translate.traffic_policy import connection_pool
from meshproof.translate.workload_metadata import WorkloadMetadata
from meshproof.translate.world import PROXY_PORT, Address, Config, Proxy, Replica, World

__all__ = [
    "bootstrap",
    "eds_clusters",
    "gateway",
    "outbound",
    "proxy_of",
    "referenced_clusters",
    "scope",
    "secrets",
    "sidecar",
]


def proxy_of(replica: Replica) -> Proxy:
    """The sidecar of ``replica`` as the rules see it."""
    return Proxy(
        "sidecar",
        replica.namespace,
        replica.workload,
        replica.labels,
        replica.service_account,
    )


def outbound(world: World, proxy: Proxy) -> Config:
    """What all Envoys of one workload share: clusters, endpoints and routes.

    A sidecar's routes are the one RouteConfiguration ``outbound``, a gateway's are
    ``http.<port>`` for each Gateway server port. ``eds_clusters`` names the clusters that
    ``endpoints`` answers for.
    """
    view = ProxyView(world, proxy)
    config = Config()
    add_outbound(view, config)
    if proxy.kind == "gateway":
        add_gateway_routes(view, world, config)
    else:
        config.routes[OUTBOUND] = outbound_routes(view)
    return config


def sidecar(world: World, replica: Replica, *, access_log: str = "") -> Config:
    """What one sidecar has for itself, beside ``outbound(world, proxy_of(replica))``.

    Listeners: ``outbound`` at ``PROXY_PORT``, ``inbound|<port>||`` a container port, ``probe`` at
    ``PROBE_PORT``. Clusters and routes of the inbound ports, and the cluster ``connect_loop``.
    ``access_log`` is the file for JSON lines; none are written where it is empty.
    """
    view = ProxyView(world, proxy_of(replica))
    workload = WorkloadMetadata(replica.namespace, replica.workload, replica.labels)
    config = Config()
    add_inbound(world, view, replica, access_log, config)
    itself = Endpoint(Address(replica.ip, PROXY_PORT), {})
    config.clusters[CONNECT_LOOP] = {
        "name": CONNECT_LOOP,
        "type": "STATIC",
        "load_assignment": load_assignment(CONNECT_LOOP, [itself]),
        **connection_pool(None, MESH_IDLE),
    }
    report = reporting(world.telemetries, replica.namespace, replica.labels, "CLIENT")
    config.listeners["outbound"] = outbound_listener(replica.ip, workload, access_log, report)
    config.listeners["probe"] = probe_listener(replica.ip, access_log)
    return config


def gateway(
    world: World, proxy: Proxy, ip: str, port_map: Mapping[int, int], *, access_log: str = ""
) -> Config:
    """A gateway Envoy's own listeners, beside ``outbound(world, proxy)``.

    One a Gateway server port (``http.<port>``, bound to ``ip`` at the port that ``port_map``
    gives, or the same one) and ``probe`` at ``PROBE_PORT``.
    """
    config = Config()
    config.listeners.update(gateway_listeners(world, proxy, ip, port_map, access_log))
    fetching = security_filters(world, proxy.namespace, proxy.labels).clusters()
    config.clusters.update({str(c["name"]): c for c in fetching})
    config.listeners["probe"] = probe_listener(ip, access_log)
    return config
