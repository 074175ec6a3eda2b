"""Patches of clusters (core/envoyfilter/cluster_patch.go).

A cluster of the user's own finds its servers in the mesh or among the declared hosts: no Envoy
looks a name up or connects to an address that nobody declared. Others get 503, no healthy upstream.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshproof.envoy_filters.messages import merge, merge_any, unpack
from meshproof.envoy_filters.rules import Rule, Rules
from meshproof.istio_names import ClusterName
from meshproof.model.envoy_filter import ClusterMatch
from meshproof.translate.proto import Json

_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_PROTOCOLS = ("http_protocol_options", "http2_protocol_options")
_OLD_OPTIONS = (
    *_PROTOCOLS,
    "common_http_protocol_options",
    "upstream_http_protocol_options",
)
"""In Envoy's order: of two protocols the latter counts."""
Locate = Callable[[str, int], list[Json]]
"""The addresses, as Envoy writes them, of a host and port that a cluster names."""


def patch_cluster(cluster: Any, context: str, rules: Rules, services: set[str]) -> bool:
    """Change a cluster; False if it is removed. ``services`` are the hosts of an inbound one."""
    for rule in rules.of("CLUSTER", context):
        operation = rule.patch.operation
        if operation == "ADD" or not _is_cluster(rule, cluster, services):
            continue
        rules.mark(rule)
        if operation == "REMOVE":
            return False
        _merge(cluster, rule.value)
        _move_old_options(cluster, rule.value)
    return True


def _move_old_options(cluster: Any, value: Any) -> None:
    """Envoy's old fields for the upstream protocol count where a cluster has no
    HttpProtocolOptions. Of ours each has some; Istio's for plain HTTP/1.1 has none, so there the
    fields of a patch go into them. Where Istio's has some (HTTP/2, the client's own protocol), they
    win over the old fields, as Envoy has it."""
    present = [name for name in _OLD_OPTIONS if value.HasField(name)]
    packed = cluster.typed_extension_protocol_options.get(_OPTIONS)
    if not present or packed is None or _OPTIONS in value.typed_extension_protocol_options:
        return
    options = unpack(packed)
    if options.explicit_http_config.HasField("http_protocol_options"):
        for name in present:
            protocol = options.explicit_http_config if name in _PROTOCOLS else options
            child = getattr(protocol, name)
            child.SetInParent()
            merge(child, getattr(value, name))
        packed.Pack(options)
    for name in present:
        cluster.ClearField(name)


def _merge(cluster: Any, value: Any) -> None:
    """A transport socket is merged with the one of its name (mergeTransportSocketCluster)."""
    if not value.HasField("transport_socket"):
        merge(cluster, value)
        return
    own = [m.transport_socket for m in cluster.transport_socket_matches]
    if not own and not cluster.HasField("transport_socket"):
        cluster.transport_socket.CopyFrom(value.transport_socket)
        return
    for socket in own or [cluster.transport_socket]:
        if socket.name == value.transport_socket.name:
            merge_any(socket.typed_config, value.transport_socket.typed_config)
            return
    if not own:
        cluster.transport_socket.CopyFrom(value.transport_socket)


def added_clusters(context: str, rules: Rules, locate: Locate) -> list[Any]:
    """Clusters that patches add, with servers that exist here."""
    result = list(rules.additions("CLUSTER", context))
    for cluster in result:
        _place_servers(cluster, locate)
    return result


def _place_servers(cluster: Any, locate: Locate) -> None:
    cluster.type = cluster.STATIC
    cluster.ClearField("eds_cluster_config")
    assignment = cluster.load_assignment
    assignment.cluster_name = assignment.cluster_name or cluster.name
    for group in assignment.endpoints:
        servers = list(group.lb_endpoints)
        del group.lb_endpoints[:]
        for server in servers:
            address = server.endpoint.address
            if not address.HasField("socket_address"):
                continue
            socket = address.socket_address
            for place in locate(socket.address, socket.port_value):
                _add_server(group, server, place)


def _add_server(group: Any, server: Any, place: Json) -> None:
    added = group.lb_endpoints.add()
    added.CopyFrom(server)
    address = added.endpoint.address
    address.Clear()
    if "pipe" in place:
        address.pipe.path = place["pipe"]["path"]
    else:
        address.socket_address.address = place["socket_address"]["address"]
        address.socket_address.port_value = place["socket_address"]["port_value"]


def _is_cluster(rule: Rule, cluster: Any, services: set[str]) -> bool:
    match = rule.patch.match.cluster or ClusterMatch()
    if match.name:
        return bool(match.name == cluster.name)
    name = ClusterName.parse(cluster.name) or ClusterName("", 0)
    hosts = services if name.direction == "inbound" else {name.host}
    return (
        match.subset in ("", name.subset)
        and (not match.service or match.service in hosts)
        and match.port_number in (0, name.port)
    )
