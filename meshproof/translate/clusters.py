"""Outbound clusters and the endpoints behind them.

One cluster a port of a host, one more a DestinationRule subset. Services are EDS clusters with
mutual TLS; ServiceEntries are STATIC ones with the declared outside addresses, in plain.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.istio_names import CLUSTER_DOMAIN, is_service_host, outbound_cluster
from meshproof.model.destination_rule import Subset
from meshproof.translate import client_tls, passthrough, traffic_policy
from meshproof.translate.proto import ADS, Json, pipe, tcp
from meshproof.translate.proxy_view import ProxyView
from meshproof.translate.registry import Endpoint, Host, carries
from meshproof.translate.resource_names import outbound_sni
from meshproof.translate.workload_metadata import UNKNOWN
from meshproof.translate.world import Address, Config, ServicePort

MESH_IDLE = 300.0
"""Seconds until a sidecar closes an idle connection to another: far below the hour after which
the other closes it, so that no request meets a closing connection."""
OUTSIDE_IDLE = 15.0
"""The same towards outside servers, whose keep-alive we do not know."""

_WHOLE = Subset.model_construct(name="")


def add_outbound(view: ProxyView, config: Config) -> None:
    """Add the clusters and endpoints that every outbound route of ``view`` may name."""
    if view.passthrough():
        common = traffic_policy.connection_pool(None, OUTSIDE_IDLE)
        config.clusters[passthrough.CLUSTER] = passthrough.cluster(view.passthrough(), **common)
    for host in view.destinations().values():
        for port in host.ports:
            if host.alias_of:
                break
            for subset in (_WHOLE, *view.rule(host.name).subsets):
                _add(view, config, host, port, subset)


def _add(view: ProxyView, config: Config, host: Host, port: ServicePort, subset: Subset) -> None:
    name = outbound_cluster(port.port, host.name, subset.name)
    policy = view.policy(host.name, subset.name, port.port)
    chosen = [e for e in host.endpoints[port.port] if carries(e.labels, subset.labels)]
    if policy.load_balancer is not None and policy.load_balancer.simple == "PASSTHROUGH":
        chosen = list(host.endpoints[port.port])  # where the client was going: a subset is nothing
    if host.resolution == "DNS" and subset.name and not chosen:
        return  # Istio's buildCluster leaves it out: requests to it are 503 NC, not UH
    cluster: Json = {"name": name, "metadata": _metadata(**_service(host.name))}
    assignment = load_assignment(name, chosen)
    sni = outbound_sni(port.port, host.name, subset.name)
    if host.resolution == "EDS":
        idle = MESH_IDLE if all(e.workload for e in chosen) else OUTSIDE_IDLE
        cluster |= {"type": "EDS", "eds_cluster_config": {"eds_config": ADS}}
        cluster |= traffic_policy.traffic_policy(policy, idle, h2=port.h2)
        config.endpoints[name] = assignment
    else:
        cluster |= {"type": "STATIC", "load_assignment": assignment}
        cluster |= traffic_policy.traffic_policy(policy, OUTSIDE_IDLE, h2=port.h2)
    cluster |= client_tls.transport(host, port, policy.tls, sni)
    if policy.tls and client_tls.automatic_sni(policy.tls, port):
        traffic_policy.name_by_authority(cluster, checked=client_tls.automatic_name(policy.tls))
    config.clusters[name] = cluster


def load_assignment(name: str, endpoints: Iterable[Endpoint]) -> Json:
    """A ClusterLoadAssignment; without endpoints a request to it is 503 UH."""
    members = [_lb_endpoint(e) for e in endpoints]
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": members}] if members else []}


def _lb_endpoint(endpoint: Endpoint) -> Json:
    metadata = _metadata(
        workload=endpoint.workload or UNKNOWN,
        namespace=endpoint.namespace or UNKNOWN,
        app=endpoint.labels.get("app") or endpoint.workload or UNKNOWN,
        version=endpoint.labels.get("version") or ("latest" if endpoint.workload else UNKNOWN),
    )
    if endpoint.mutual:
        metadata["filter_metadata"][client_tls.MATCH] = client_tls.ISTIO
    return {
        "endpoint": {"address": address(endpoint.address)},
        "load_balancing_weight": max(endpoint.weight, 1),
        "metadata": metadata,
    }


def _service(host: str) -> dict[str, str]:
    """A host by its full name, and by the name and namespace of its Service; a host that is none
    of the cluster's has itself for a name."""
    name, _, namespace = host.removesuffix(f".{CLUSTER_DOMAIN}").partition(".")
    if not is_service_host(host):
        name, namespace = host, UNKNOWN
    return {"service": host, "service_name": name, "service_namespace": namespace}


def _metadata(**values: str) -> Json:
    """What the metrics say of the other side (``meshproof.translate.metrics``)."""
    return {"filter_metadata": {"istio": values}}


def address(place: Address) -> Json:
    """An Envoy address: a Unix socket where there is a path, else ip and port."""
    return pipe(place.path) if place.path else tcp(place.ip, place.port)


def eds_clusters(config: Config) -> set[str]:
    """Names of the clusters whose endpoints come by EDS, which the ADS server must answer."""
    return {name for name, cluster in config.clusters.items() if cluster["type"] == "EDS"}
