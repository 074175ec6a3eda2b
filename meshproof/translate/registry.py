"""The service registry: every host of the mesh (Istio: pilot/pkg/serviceregistry).

A Service is one host, and so is every name of a ServiceEntry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from meshproof.translate.address_book import AddressBook
from meshproof.translate.endpoints import (
    declared_endpoints,
    endpoints_by_port,
    select_workload_entries,
    selected_replicas,
)
from meshproof.translate.host import Endpoint, Host
from meshproof.translate.service_entry_hosts import service_entry_hosts
from meshproof.translate.world import Replica, Service, World


def hosts(world: World) -> tuple[Host, ...]:
    """Every host, Services first; a host that is declared twice has the ports of both."""
    by_key: dict[tuple[str, str], Host] = {}
    for host in (*_service_hosts(world), *service_entry_hosts(world)):
        key = (host.name, host.namespace)
        by_key[key] = _join_ports(by_key[key], host) if key in by_key else host
    return tuple(by_key.values())


def _join_ports(first: Host, second: Host) -> Host:
    new_ports = tuple(p for p in second.ports if first.port(p.port) is None)
    return replace(
        first,
        ports=first.ports + new_ports,
        endpoints={**second.endpoints, **first.endpoints},
        addresses=tuple(dict.fromkeys(first.addresses + second.addresses)),
    )


def _service_hosts(world: World) -> Iterator[Host]:
    by_namespace: dict[str, list[Replica]] = {}
    for replica in (*world.replicas, *world.gateway_replicas):
        by_namespace.setdefault(replica.namespace, []).append(replica)
    for service in world.services:
        if service.external_name:
            yield _alias_host(service)
            continue
        members = selected_replicas(service, by_namespace.get(service.namespace, ()))
        entries = select_workload_entries(world, service.namespace, service.selector)
        yield Host(
            name=service.fqdn,
            namespace=service.namespace,
            ports=service.ports,
            resolution="EDS",
            endpoints=endpoints_by_port(world, service.ports, members, entries, service.namespace)
            if service.selector
            else _manual_endpoints(world, service),
            export_to=service.export_to,
            identities=tuple(sorted({r.identity for r in members})),
            addresses=(service.cluster_ip,) if service.cluster_ip else (),
            headless=service.headless,
            traffic_distribution=service.traffic_distribution,
        )


def _manual_endpoints(world: World, service: Service) -> Mapping[int, tuple[Endpoint, ...]]:
    """Of a Service without a selector: those of the ports that carry the name of its own."""
    entries = world.manual_endpoints.get((service.namespace, service.name), ())
    book = AddressBook(world)
    return {
        port.port: tuple(
            declared_endpoints(
                (e for e in entries if port.name in e.ports),
                port.name,
                None,
                port.port,
                book,
                namespace=service.namespace,
            )
        )
        for port in service.ports
    }


def _alias_host(service: Service) -> Host:
    ports, target = service.ports, service.external_name.removesuffix(".").lower()
    export_to = service.export_to
    return Host(service.fqdn, service.namespace, ports, "ALIAS", {}, (), export_to, alias_of=target)
