"""Outbound clusters and their endpoints.

Each port of a host has one cluster, and one more for each DestinationRule subset. Services are EDS
clusters with mutual TLS; ServiceEntries are STATIC ones with the declared outside addresses, in
plain text (Istio: core/cluster.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from meshproof.istio_names import CLUSTER_DOMAIN, is_service_host, outbound_cluster
from meshproof.model.destination_rule import Subset
from meshproof.model.destination_rule_tls import ClientTLSSettings
from meshproof.telemetry import packed_labels
from meshproof.translate import client_tls, headless, passthrough, proxy_protocol, traffic_policy
from meshproof.translate.addresses import envoy_address
from meshproof.translate.host import Endpoint, Host
from meshproof.translate.locality_balancing import PLAIN, Balancing, balancing_of, describe_group
from meshproof.translate.proto import ADS, Json
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.resource_names import outbound_sni
from meshproof.translate.workload_metadata import UNKNOWN, describe
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Config, ServicePort

MESH_IDLE = 300.0
"""Seconds until a sidecar closes an idle connection to another sidecar: far below the hour after
which the server side closes it, so that no request meets a closing connection."""
OUTSIDE_IDLE = 15.0
"""The same for outside servers, whose keep-alive timeout we do not know."""

_NO_SUBSET = Subset.model_construct(name="")


def add_outbound_clusters(view: ProxyView, config: Config) -> None:
    """Add every cluster that an outbound route of ``view`` may name, with its endpoints."""
    if view.allows_any and view.world.pods:
        pool = traffic_policy.build_connection_pool(None, MESH_IDLE, h2=None, mesh=view.mesh)
        config.clusters[passthrough.POD_NETWORK] = passthrough.build_original(
            passthrough.POD_NETWORK, **pool
        )
    if view.passthrough_hosts():
        common = traffic_policy.build_connection_pool(None, OUTSIDE_IDLE, mesh=view.mesh)
        config.clusters[passthrough.CLUSTER] = passthrough.build_cluster(
            view.passthrough_hosts(), **common
        )
    for host in view.destinations().values():
        for port in host.ports:
            if host.alias_of:
                break
            for subset in (_NO_SUBSET, *view.destination_rule(host.name).subsets):
                _add_cluster(view, config, host, port, subset)


def _add_cluster(
    view: ProxyView, config: Config, host: Host, port: ServicePort, subset: Subset
) -> None:
    name = outbound_cluster(port.port, host.name, subset.name)
    policy = view.policy(host.name, subset.name, port.port)
    endpoints = [e for e in host.endpoints[port.port] if has_labels(e.labels, subset.labels)]
    if policy.load_balancer is not None and policy.load_balancer.simple == "PASSTHROUGH":
        endpoints = list(host.endpoints[port.port])  # Istio ignores the subset
    if host.resolution == "DNS" and subset.name and not endpoints:
        return  # Istio's buildCluster leaves it out: requests to it are 503 NC, not UH
    cluster: Json = {
        "name": name,
        "metadata": _istio_metadata(service=_describe_service(host.name)),
    }
    by_address = host.headless or any(e.original for e in endpoints)
    selectable = view.world.pods and by_address and port.kind != "HTTP"
    if selectable:
        cluster |= headless.selectable()
    balancing = balancing_of(host, policy, view.proxy.labels, view.mesh)
    assignment = build_load_assignment(name, endpoints, balancing, selectable=selectable)
    sni = outbound_sni(port.port, host.name, subset.name)
    # A gateway speaks HTTP/1.1 to a port without a protocol (Istio: setUpstreamProtocol).
    h2 = bool(port.h2) if view.proxy.kind == "gateway" else port.h2
    build = partial(traffic_policy.build_traffic_policy, h2=h2, mesh=view.mesh)
    if host.resolution == "EDS":
        idle = MESH_IDLE if all(e.workload for e in endpoints) else OUTSIDE_IDLE
        cluster |= {"type": "EDS", "eds_cluster_config": {"eds_config": ADS}}
        cluster |= build(policy, idle)
        config.endpoints[name] = assignment
    else:
        cluster |= {"type": "STATIC", "load_assignment": assignment}
        cluster |= build(policy, OUTSIDE_IDLE)
    if balancing.weighted:
        cluster["common_lb_config"] |= {"locality_weighted_lb_config": {}}
    settings = policy.tls
    selects = view.destination_rule(host.name).selector is not None
    if settings and settings.credential_name and view.proxy.kind == "sidecar" and not selects:
        settings = ClientTLSSettings()  # Istio: buildUpstreamClusterTLSContext
    h2_alone = traffic_policy.speaks_http2(policy, view.mesh, h2=h2)
    cluster |= proxy_protocol.add_header(
        client_tls.build_transport(
            host, port, settings, sni, view.certificates, mesh=view.mesh, h2=h2_alone
        ),
        policy.proxy_protocol,
    )
    if settings and client_tls.uses_auto_sni(settings, port):
        traffic_policy.set_auto_sni(cluster, checked=client_tls.validates_auto_san(settings))
    config.clusters[name] = cluster


def sni_dnat_hosts(view: ProxyView) -> Iterator[tuple[str, int, str]]:
    """Host, port and subset (or ``""``) of every cluster of a service in the mesh."""
    for host in view.destinations().values():
        if host.in_mesh and not host.alias_of:
            for port in host.ports:
                for subset in (_NO_SUBSET, *view.destination_rule(host.name).subsets):
                    yield host.name, port.port, subset.name


def add_sni_dnat_clusters(view: ProxyView, config: Config) -> None:
    """Add what an AUTO_PASSTHROUGH server passes connections on to, beside the clusters of
    ``add_outbound_clusters``: the same endpoints as far as they speak mutual TLS, as bytes. Istio
    gives such a cluster the name that clients put into SNI."""
    for host, port, subset in sni_dnat_hosts(view):
        source = outbound_cluster(port, host, subset)
        assignment: Json = config.endpoints[source]
        name = outbound_sni(port, host, subset)
        cluster = {k: v for k, v in config.clusters[source].items() if k not in _CLIENT_TLS}
        config.clusters[name] = {**cluster, "name": name}
        config.endpoints[name] = {
            "cluster_name": name,
            "endpoints": [
                {**group, "lb_endpoints": members}
                for group in assignment["endpoints"]
                if (members := [e for e in group["lb_endpoints"] if _is_mutual(e)])
            ],
        }


_CLIENT_TLS = ("transport_socket", "transport_socket_matches")


def _is_mutual(endpoint: Json) -> bool:
    return client_tls.MATCH in endpoint["metadata"]["filter_metadata"]


def build_load_assignment(
    name: str,
    endpoints: Iterable[Endpoint],
    balancing: Balancing = PLAIN,
    *,
    selectable: bool = False,
) -> Json:
    """A ClusterLoadAssignment; without endpoints a request gets 503 UH."""
    groups = [
        describe_group(
            group,
            [_build_lb_endpoint(e, selectable=selectable) for e in group.endpoints],
            weighted=balancing.weighted,
        )
        for group in balancing.group(endpoints)
    ]
    return {"cluster_name": name, "endpoints": groups}


def _build_lb_endpoint(endpoint: Endpoint, *, selectable: bool) -> Json:
    workload = describe(
        endpoint.workload or UNKNOWN,
        endpoint.namespace or UNKNOWN,
        endpoint.labels.get("app") or endpoint.workload or UNKNOWN,
        endpoint.labels.get("version") or ("latest" if endpoint.workload else UNKNOWN),
    )
    metadata = _istio_metadata(workload=workload)
    if endpoint.mutual:
        metadata["filter_metadata"][client_tls.MATCH] = client_tls.ISTIO
    if selectable:
        metadata["filter_metadata"] |= headless.label_pod(endpoint.original or endpoint.address.ip)
    return {
        "endpoint": {"address": envoy_address(endpoint.address)},
        "load_balancing_weight": max(endpoint.weight, 1),
        "metadata": metadata,
    }


def _describe_service(host: str) -> str:
    """A destination in Istio's metrics: full name, Service name and namespace. A host outside the
    cluster is its own name."""
    name, _, namespace = host.removesuffix(f".{CLUSTER_DOMAIN}").partition(".")
    if not is_service_host(host):
        name, namespace = host, UNKNOWN
    return packed_labels.join_values(host, name, namespace)


def _istio_metadata(**values: str) -> Json:
    """What ``metrics`` reads of the destination."""
    return {"filter_metadata": {"istio": values}}


def eds_clusters(config: Config) -> set[str]:
    """Names of the EDS clusters, whose endpoints the ADS server must serve."""
    return {name for name, cluster in config.clusters.items() if cluster["type"] == "EDS"}
