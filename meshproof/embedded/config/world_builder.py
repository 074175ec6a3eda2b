"""Builds the translator's ``World`` from applied resources and running replicas. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from meshproof.admission.store import Store
from meshproof.gateway_api.convert import convert_virtual_services
from meshproof.model.jwks import KeySource
from meshproof.model.mesh_config import NO_MESH_CONFIG, MeshConfig, merge_mesh_configs
from meshproof.model.mesh_config_map import is_mesh_config_map, parse_mesh_config
from meshproof.model.pod_network import Addresses, is_address
from meshproof.model.resource import Resource
from meshproof.model.workload_entry import WorkloadEntry
from meshproof.translate.world import (
    Named,
    Outside,
    Replica,
    Service,
    TlsSecret,
    World,
)


def selects(service: Service, namespace: str, labels: Any) -> bool:
    """Whether a Service selects pods with these labels; without a selector it selects none."""
    return (
        bool(service.selector)
        and service.namespace == namespace
        and all(labels.get(k) == v for k, v in service.selector.items())
    )


def target_ports(services: Iterable[Service], namespace: str, labels: Any) -> list[int]:
    """Numeric target ports of the Services that select a pod: its sidecar listens on them too."""
    return sorted(
        {
            port.target_port
            for service in services
            if selects(service, namespace, labels)
            for port in service.ports
            if isinstance(port.target_port, int)
        }
    )


_PAIRS = (("tls.crt", "tls.key"), ("cert", "key"))
"""Keys of a Secret that hold a certificate and its key, as Istio reads them."""


def _tls_secrets(resources: Iterable[Resource]) -> tuple[TlsSecret, ...]:
    result = []
    for resource in resources:
        texts = resource.spec.texts if resource.kind == "Secret" else {}
        pair = next((p for p in _PAIRS if p[0] in texts and p[1] in texts), None)
        if pair:
            chain, key = texts[pair[0]], texts[pair[1]]
            result.append(TlsSecret(resource.name, resource.namespace, chain, key))
    return tuple(result)


def _workload_entries(resources: Iterable[Resource]) -> Iterator[Named[WorkloadEntry]]:
    """Labels of the object are the workload's too, and win over those of its spec, as in Istio."""
    for resource in resources:
        if resource.kind == "WorkloadEntry":
            labels = {**resource.spec.labels, **resource.labels}
            spec = resource.spec.model_copy(update={"labels": labels})
            yield Named(resource.name, resource.namespace, spec)


def _mesh_config(resources: Iterable[Resource], default: MeshConfig) -> MeshConfig:
    """The project's, under that of IstioOperators, under that of the ConfigMap ``istio``."""
    installed, live = default, NO_MESH_CONFIG
    for resource in resources:
        if resource.kind == "IstioOperator":
            installed = merge_mesh_configs(installed, resource.spec.mesh_config)
        elif is_mesh_config_map(resource.kind, resource.name, resource.namespace):
            live = parse_mesh_config(resource.spec.data.get("mesh", ""))
    return merge_mesh_configs(installed, live)


def build_world(
    store: Store,
    replicas: Iterable[Replica],
    outside: Iterable[Outside],
    *,
    addresses: Addresses | None = None,
    token_keys: Mapping[KeySource, str] = MappingProxyType({}),
    mesh: MeshConfig = NO_MESH_CONFIG,
) -> World:
    """Everything that is applied and that runs; with ``addresses`` the replicas are pods, and
    ``mesh`` is the project's MeshConfig. Raises Refused for 0.4 rules that cannot be lowered."""
    services, lowered = store.services, store.lowered
    hosts = tuple(outside)

    def named(kind: str) -> tuple[Any, ...]:
        return tuple(
            Named(r.name, r.namespace, r.spec, dry_run=r.dry_run) for r in lowered if r.kind == kind
        )

    return World(
        services=services if addresses is None else _with_cluster_ips(store, addresses),
        replicas=tuple(replicas),
        outside=hosts,
        virtual_services=convert_virtual_services(lowered, services),
        destination_rules=named("DestinationRule"),
        service_entries=named("ServiceEntry"),
        workload_entries=tuple(_workload_entries(lowered)),
        gateways=named("Gateway"),
        tls_secrets=_tls_secrets(lowered),
        sidecars=named("Sidecar"),
        peer_authentications=named("PeerAuthentication"),
        authorization_policies=named("AuthorizationPolicy"),
        request_authentications=named("RequestAuthentication"),
        token_keys=token_keys,
        envoy_filters=named("EnvoyFilter"),
        telemetries=named("Telemetry"),
        pods=addresses is not None,
        addresses={} if addresses is None else _name_addresses(lowered, hosts, addresses),
        mesh=_mesh_config(store.decoded, mesh),
    )


def _with_cluster_ips(store: Store, addresses: Addresses) -> tuple[Service, ...]:
    """The Services with a ClusterIP each: the one that its manifest names, else one of ours."""
    own = {
        (r.namespace, r.name): r.spec.cluster_ip
        for r in store.lowered
        if r.kind == "Service" and is_address(r.spec.cluster_ip or "")
    }
    return tuple(
        service
        if service.headless or service.external_name
        else replace(
            service,
            cluster_ip=own.get((service.namespace, service.name))
            or addresses.cluster_ip(service.namespace, service.name),
        )
        for service in store.services
    )


def _name_addresses(
    resources: Iterable[Resource], outside: Iterable[Outside], addresses: Addresses
) -> dict[str, str]:
    """An address for every name outside the mesh, declared or of a ServiceEntry. A host that is
    written as an address is its own."""
    names = {host.host.lower() for host in outside}
    names |= {
        name.removesuffix(".").lower()
        for resource in resources
        if resource.kind == "ServiceEntry"
        for name in resource.spec.hosts
    }
    return {
        name: name if is_address(name) else addresses.outside(name)
        for name in sorted(names)
        if "*" not in name
    }
