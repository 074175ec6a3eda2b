"""Builds the translator's ``World`` from applied resources and running replicas. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from meshproof.admission.store import Store
from meshproof.gateway_api.backend_policies import convert_backend_policies
from meshproof.gateway_api.convert import convert_virtual_services
from meshproof.gateway_api.listeners import convert_gateways
from meshproof.model.discovery_selector import Discovery
from meshproof.model.gateway import Gateway
from meshproof.model.jwks import KeySource
from meshproof.model.mesh_config import NO_MESH_CONFIG, MeshConfig
from meshproof.model.mesh_config_sources import mesh_config_of
from meshproof.model.pod_network import Addresses, is_address
from meshproof.model.proxy_config_sources import proxy_configs_of
from meshproof.model.resource import Resource
from meshproof.model.workload_entry import WorkloadEntry
from meshproof.translate import service_gateways
from meshproof.translate.certificates import CONFIG_MAP
from meshproof.translate.default_exports import exported, exported_services
from meshproof.translate.from_kube import traffic_distribution_of
from meshproof.translate.manual_endpoints import manual_endpoints
from meshproof.translate.trust_domains import with_trust_domains
from meshproof.translate.world import (
    Named,
    Outside,
    Replica,
    Service,
    TlsSecret,
    WasmModule,
    World,
)

_PAIRS = (("cert", "key"), ("tls.crt", "tls.key"))
_AUTHORITIES = ("cacert", "ca.crt")
_REVOKED = ("crl", "ca.crl")
"""Keys of a Secret that hold a certificate and its key, authorities, and revoked certificates, as
Istio reads them (pilot/pkg/credentials/kube/secrets.go)."""


def _tls_secrets(resources: Iterable[Resource]) -> tuple[TlsSecret, ...]:
    result = []
    for resource in resources:
        if resource.kind not in ("Secret", "ConfigMap"):
            continue
        name = resource.name if resource.kind == "Secret" else CONFIG_MAP + resource.name
        texts: dict[str, str] = resource.spec.texts
        chain, key = next((p for p in _PAIRS if p[0] in texts and p[1] in texts), ("", ""))
        ca = next((k for k in _AUTHORITIES if k in texts), "")
        crl = next((k for k in _REVOKED if k in texts), "")
        if chain or ca:
            pems = (texts.get(k, "") for k in (chain, key, ca, crl))
            result.append(TlsSecret(name, resource.namespace, *pems))
    return tuple(result)


def _workload_entries(resources: Iterable[Resource]) -> Iterator[Named[WorkloadEntry]]:
    """Labels of the object are the workload's too, and win over those of its spec, as in Istio."""
    for resource in resources:
        if resource.kind == "WorkloadEntry":
            labels = {**resource.spec.labels, **resource.labels}
            spec = resource.spec.model_copy(update={"labels": labels})
            yield Named(resource.name, resource.namespace, spec)


def istio_gateways(store: Store) -> tuple[Named[Gateway], ...]:
    """The Gateways in force in Istio's order, then those of the Gateway API's."""
    return _gateways_of(store.lowered, store.services)


def _gateways_of(
    resources: Sequence[Resource], services: Sequence[Service]
) -> tuple[Named[Gateway], ...]:
    rows = (r for r in resources if r.kind == "Gateway")
    written = (
        service_gateways.bind(named, r.gateway_services, services) if r.gateway_services else named
        for r in rows
        for named in (Named(r.name, r.namespace, r.spec),)
    )
    return (*filter(None, written), *convert_gateways(resources))


def certificate_files(store: Store) -> frozenset[str]:
    """Every file that a DestinationRule or a Gateway names as a certificate, a key or a root."""
    paths: set[str | None] = set()
    for resource in store.lowered:
        if resource.kind == "DestinationRule":
            policies = [
                resource.spec.traffic_policy,
                *(s.traffic_policy for s in resource.spec.subsets),
            ]
            for policy in filter(None, policies):
                for settings in (policy.tls, *(p.tls for p in policy.port_level_settings)):
                    if settings is not None:
                        paths |= {settings.ca_certificates, settings.client_certificate}
                        paths.add(settings.ca_crl)
                        paths.add(settings.private_key)
        elif resource.kind == "Gateway":
            for tls in (server.tls for server in resource.spec.servers if server.tls):
                paths |= {tls.ca_certificates, tls.ca_crl}
                for pair in tls.files:
                    paths |= {pair.server_certificate, pair.private_key}
    return frozenset(path for path in paths if path)


def build_world(
    store: Store,
    replicas: Iterable[Replica],
    outside: Iterable[Outside],
    *,
    gateway_replicas: Iterable[Replica] = (),
    missing_files: Iterable[str] = (),
    wasm_modules: Mapping[tuple[str, str], WasmModule] = MappingProxyType({}),
    addresses: Addresses | None = None,
    token_keys: Mapping[KeySource, str] = MappingProxyType({}),
    mesh: MeshConfig = NO_MESH_CONFIG,
) -> World:
    """Everything that is applied and that runs; with ``addresses`` the replicas are pods, and
    ``mesh`` is the project's MeshConfig. Raises Refused for 0.4 rules that cannot be lowered."""
    hosts = tuple(outside)
    config = mesh_config_of(store.decoded, mesh)
    services, lowered = _discovered(store, config)

    def named(kind: str) -> tuple[Any, ...]:
        root = config.root_namespace
        return tuple(
            Named(
                r.name,
                r.namespace,
                r.spec,
                root=root,
                dry_run=r.dry_run,
                traffic_distribution=traffic_distribution_of(r.traffic_distribution),
            )
            for r in lowered
            if r.kind == kind
        )

    def of_mesh(rows: Iterable[Replica]) -> tuple[Replica, ...]:
        domain = config.trust_domain
        return tuple(
            r if r.trust_domain == domain else replace(r, trust_domain=domain) for r in rows
        )

    visible = services if addresses is None else _with_cluster_ips(services, store, addresses)
    return World(
        services=exported_services(visible, config.default_service_export_to),
        replicas=of_mesh(replicas),
        gateway_replicas=of_mesh(gateway_replicas),
        outside=hosts,
        virtual_services=exported(
            convert_virtual_services(lowered, services), config.default_virtual_service_export_to
        ),
        destination_rules=exported(
            (*named("DestinationRule"), *convert_backend_policies(lowered, services)),
            config.default_destination_rule_export_to,
        ),
        service_entries=exported(named("ServiceEntry"), config.default_service_export_to),
        workload_entries=tuple(_workload_entries(lowered)),
        manual_endpoints=manual_endpoints(lowered),
        gateways=_gateways_of(lowered, services),
        tls_secrets=_tls_secrets(store.lowered),
        missing_files=frozenset(missing_files),
        wasm_plugins=named("WasmPlugin"),
        wasm_modules=wasm_modules,
        sidecars=named("Sidecar"),
        peer_authentications=named("PeerAuthentication"),
        authorization_policies=tuple(
            replace(policy, spec=with_trust_domains(policy.spec, config))
            for policy in named("AuthorizationPolicy")
        ),
        request_authentications=named("RequestAuthentication"),
        token_keys=token_keys,
        envoy_filters=named("EnvoyFilter"),
        telemetries=named("Telemetry"),
        pods=addresses is not None,
        addresses={} if addresses is None else _name_addresses(lowered, hosts, addresses),
        mesh=config,
        proxy_configs=proxy_configs_of(lowered, config.default_config, config.root_namespace),
    )


def _discovered(store: Store, config: MeshConfig) -> tuple[tuple[Service, ...], Sequence[Resource]]:
    """The Services and resources of the namespaces that MeshConfig's discoverySelectors select."""
    services, resources = tuple(store.services), store.lowered
    if not config.discovery_selectors:
        return services, resources
    labels = {r.name: r.labels for r in resources if r.kind == "Namespace"}
    discovery = Discovery(config.discovery_selectors, labels)
    return (
        tuple(s for s in services if discovery.reads(s.namespace)),
        [r for r in resources if discovery.reads(r.namespace)],
    )


def _with_cluster_ips(
    services: Iterable[Service], store: Store, addresses: Addresses
) -> tuple[Service, ...]:
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
        for service in services
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
