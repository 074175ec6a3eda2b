"""What is sent to a pod's ports that nothing declares: it reaches the app as it came.

Istio's iptables lead every connection to ``virtualInbound``, whose passthrough chains take what no
Service and no Sidecar names (buildInboundPassthroughChains of core/listener_inbound.go): HTTP is
told from other bytes, PeerAuthentication and AuthorizationPolicies hold, and the connection goes to
the port that it was for, from 127.0.0.6. In this mesh's network the kernel leads there what no
listener of a declared port takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.istio_names import (
    BLACK_HOLE_CLUSTER,
    INBOUND_PASSTHROUGH_CLUSTER,
    VIRTUAL_INBOUND,
    inbound_cluster,
)
from meshproof.model.pod_network import INBOUND_PORT, MESH_NAMESPACE
from meshproof.translate.authz_conditions import ANY_PORT
from meshproof.translate.inbound import APP_IDLE, FROM_SIDECAR, Inbound
from meshproof.translate.inbound_inspectors import (
    ORIGINAL_DESTINATION,
    build_inspection,
    inspectors_by_port,
)
from meshproof.translate.inbound_servers import Server, ingress_servers
from meshproof.translate.listeners import build_listener
from meshproof.translate.passthrough import build_original
from meshproof.translate.peer_authentication import port_level_modes
from meshproof.translate.proto import Json, build_extension
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.security_filters import select_security_filters
from meshproof.translate.traffic_policy import build_connection_pool
from meshproof.translate.workload_metadata import UNKNOWN
from meshproof.translate.world import Config, Replica, Resource, World

_BLACK_HOLE_CHAIN = "virtualInbound-blackhole"
_PAST_CHAIN = "excluded"
_HTTP_CHAIN = "virtualInbound-catchall-http"
_TCP_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


def add_passthrough(
    world: World, view: ProxyView, replica: Replica, log: str, config: Config
) -> None:
    """Add the listener ``virtualInbound`` of ``replica``, and what its chains lead to."""
    filters = select_security_filters(world, replica)
    declared = {port.port for port in replica.ports}
    chains: list[Json] = [_black_hole()]
    for number, server in ingress_servers(world, replica, view.sidecar):
        if number not in declared:
            name = inbound_cluster(number)
            inbound = Inbound(world, replica, name, number, server, filters, log)
            chains += _at(number, inbound.add(view, config))
            declared.add(number)
    anything = Server(UNKNOWN, None, "", None)
    for number, takes in _other_ports(world, replica):
        if number in declared:
            continue
        if not takes:
            chains += _at(number, [_past_the_sidecar()])
            continue
        inbound = Inbound(
            world, replica, INBOUND_PASSTHROUGH_CLUSTER, number, anything, filters, log
        )
        chains += _at(number, map(_renamed, inbound.sniffed_chains()))
        table = filters.route_table_name(inbound.name)
        config.routes.setdefault(table, filters.apply_to_routes(inbound.routes(table), number))
    pool = build_connection_pool(None, APP_IDLE, h2=None, inbound=True, mesh=world.mesh)
    config.clusters[INBOUND_PASSTHROUGH_CLUSTER] = build_passthrough_cluster(**pool)
    config.listeners[VIRTUAL_INBOUND] = build_catch_all(
        replica,
        chains,
        **build_inspection([ORIGINAL_DESTINATION, *inspectors_by_port(chains)]),
    )


def _other_ports(world: World, replica: Replica) -> Iterator[tuple[int, bool]]:
    """All ports together, and those that differ from them, each with whether the sidecar takes what
    is sent there."""
    capture = replica.capture
    yield ANY_PORT, capture.inbound_ports is None
    peers = world.peer_authentications
    modes = port_level_modes(peers, replica.namespace, replica.labels)
    others = (*modes, *(capture.inbound_ports or ()), *capture.excluded_inbound_ports)
    for number in dict.fromkeys(others):
        yield number, capture.takes_inbound(number)


def _past_the_sidecar() -> Json:
    """A chain for bytes that no rule is asked about."""
    proxy = build_extension(
        "envoy.filters.network.tcp_proxy",
        _TCP_PROXY,
        stat_prefix=INBOUND_PASSTHROUGH_CLUSTER,
        cluster=INBOUND_PASSTHROUGH_CLUSTER,
    )
    return {"name": _PAST_CHAIN, "filters": [proxy]}


def build_catch_all(replica: Replica, chains: list[Json], **fields: object) -> Json:
    """The listener of every port of a pod where no other listens."""
    listener = build_listener(
        VIRTUAL_INBOUND, replica.ip, INBOUND_PORT, chains, "INBOUND", **fields
    )
    listener["stat_prefix"] = VIRTUAL_INBOUND  # a drain asks whether it has connections
    listener["address"]["socket_address"]["network_namespace_filepath"] = MESH_NAMESPACE
    return listener


def build_passthrough_cluster(**fields: object) -> Resource:
    """The pod's own port that a connection was for."""
    return build_original(INBOUND_PASSTHROUGH_CLUSTER, **FROM_SIDECAR, **fields)


def _black_hole() -> Json:
    """Who calls the listener's own port is closed (buildInboundBlackhole)."""
    proxy = build_extension(
        "envoy.filters.network.tcp_proxy",
        _TCP_PROXY,
        stat_prefix=BLACK_HOLE_CLUSTER,
        cluster=BLACK_HOLE_CLUSTER,
    )
    match = {"destination_port": INBOUND_PORT}
    return {"name": _BLACK_HOLE_CHAIN, "filter_chain_match": match, "filters": [proxy]}


def _at(port: int, chains: Iterable[Json]) -> Iterator[Json]:
    """The chains for one port alone."""
    for chain in chains:
        match = chain.get("filter_chain_match", {})
        if port != ANY_PORT:
            match = {**match, "destination_port": port}
        yield {**chain, "filter_chain_match": match}


def _renamed(chain: Json) -> Json:
    """With the name that Istio gives: it is the same for all chains of a kind."""
    return {**chain, "name": _HTTP_CHAIN if "http" in chain["name"] else VIRTUAL_INBOUND}
