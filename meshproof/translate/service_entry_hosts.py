"""Hosts of ServiceEntries (Istio: pilot/pkg/serviceregistry/serviceentry, convertServices).

A wildcard host with resolution NONE or DYNAMIC_DNS has no endpoints of its own; every declared
outside host that it covers becomes a host beside it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from meshproof.model.pod_network import is_address
from meshproof.model.port_protocol import handling_of
from meshproof.model.service_entry import ServiceEntry
from meshproof.model.service_entry import ServicePort as EntryPort
from meshproof.model.workload_entry import WorkloadEntry
from meshproof.translate.address_book import AddressBook
from meshproof.translate.endpoints import (
    container_port,
    declared_endpoints,
    endpoints_by_port,
    replicas_with,
    select_workload_entries,
    single_address,
)
from meshproof.translate.host import Endpoint, Host
from meshproof.translate.host_names import covers, is_wildcard
from meshproof.translate.world import Address, Named, ServicePort, World

_ADDRESSED_BY_REQUEST = ("NONE", "DYNAMIC_DNS")
"""Resolutions that take the address from the request's own host name."""


def service_entry_hosts(world: World) -> Iterator[Host]:
    book = AddressBook(world)
    for entry in world.service_entries:
        for name in entry.spec.hosts:
            if entry.spec.workload_selector is None or entry.spec.resolution == "NONE":
                yield from (
                    _outside_host(world, entry, n, book)
                    for n in _covered_names(entry, name, book.outside)
                )
            else:
                yield _selecting_host(world, entry, name, entry.spec.workload_selector.labels)


def _covered_names(entry: Named[ServiceEntry], name: str, outside: Iterable[str]) -> Iterator[str]:
    """The host, and the declared hosts that it covers if the request's name is the address."""
    if is_wildcard(name) and entry.spec.resolution in _ADDRESSED_BY_REQUEST:
        names = {h.lower() for h in entry.spec.hosts}
        yield from (n for n in outside if covers(name, n) and n not in names)
    yield name


def _selecting_host(
    world: World, entry: Named[ServiceEntry], name: str, selector: Mapping[str, str]
) -> Host:
    """A ServiceEntry with a workloadSelector: it selects replicas and WorkloadEntries as a Service
    does; with resolution DNS only the latter."""
    ports = _ports(entry.spec)
    replicas = world.replicas if entry.spec.resolution == "STATIC" else ()
    members = replicas_with(replicas, entry.namespace, selector)
    entries = select_workload_entries(world, entry.namespace, selector)
    return replace(
        _host(entry, name, ports),
        resolution="EDS",
        endpoints=endpoints_by_port(world, ports, members, entries, entry.namespace),
        identities=tuple(sorted({r.identity for r in members})),
        external=entry.spec.location != "MESH_INTERNAL",
    )


def _outside_host(world: World, entry: Named[ServiceEntry], name: str, book: AddressBook) -> Host:
    ports = _ports(entry.spec)
    return replace(
        _host(entry, name, ports),
        endpoints={
            p.number: (
                *_outside_endpoints(entry, name, p, book),
                *_pod_endpoints(world, entry.spec, p),
            )
            for p in entry.spec.ports
        },
    )


def _host(entry: Named[ServiceEntry], name: str, ports: tuple[ServicePort, ...]) -> Host:
    spec = entry.spec
    return Host(
        name=name,
        namespace=entry.namespace,
        ports=ports,
        resolution="STATIC" if spec.resolution == "STATIC" else "DNS",
        endpoints={},
        addresses=tuple(single_address(a) for a in spec.addresses),
        export_to=tuple(spec.export_to),
        subject_alt_names=tuple(spec.subject_alt_names),
        traffic_distribution=entry.traffic_distribution,
        external=True,
    )


def _ports(spec: ServiceEntry) -> tuple[ServicePort, ...]:
    return tuple(
        ServicePort(
            p.name,
            p.number,
            p.target_port or p.number,
            handling_of(p.effective_protocol),
            h2=p.protocol in ("HTTP2", "GRPC") if p.protocol else None,
        )
        for p in spec.ports
    )


def _outside_endpoints(
    entry: Named[ServiceEntry],
    name: str,
    port: EntryPort,
    book: AddressBook,
) -> Iterator[Endpoint]:
    """Of one port: declared addresses, looked up by endpoint, address or host."""
    entries = entry.spec.endpoints or _implied_endpoints(entry.spec, name)
    yield from declared_endpoints(
        entries, port.name, port.target_port, port.number, book, namespace=entry.namespace
    )
    if entry.spec.resolution == "NONE" and handling_of(port.effective_protocol) != "HTTP":
        yield from _addressed_endpoints(entry.spec, port, book)


def _addressed_endpoints(
    spec: ServiceEntry, port: EntryPort, book: AddressBook
) -> Iterator[Endpoint]:
    """Where resolution NONE leads a connection to one of an entry's addresses: to that very one, if
    an outside host is declared by it."""
    networks = [ipaddress.ip_network(address, strict=False) for address in spec.addresses]
    for host, ports in book.outside.items():
        if port.number not in ports or not is_address(host):
            continue
        if _is_in(host, networks):
            yield Endpoint(ports[port.number], {}, original=host)


def _pod_endpoints(world: World, spec: ServiceEntry, port: EntryPort) -> Iterator[Endpoint]:
    """The pods that resolution NONE leads a connection to: those whose address is one of an
    entry's, at any port, declared or not."""
    if not world.pods or spec.resolution != "NONE" or not spec.addresses:
        return
    if handling_of(port.effective_protocol) == "HTTP":
        return  # requests go by their host, whatever address the client used
    networks = [ipaddress.ip_network(address, strict=False) for address in spec.addresses]
    number = port.target_port or port.number
    for replica in world.replicas:
        if not replica.ready or not _is_in(replica.ip, networks):
            continue
        declared = container_port(replica, number)
        yield Endpoint(
            declared.listen if declared else Address(replica.ip, number),
            replica.labels,
            workload=replica.workload,
            namespace=replica.namespace,
            original=replica.ip,
        )


def _is_in(ip: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(ipaddress.ip_address(ip) in network for network in networks)


def _implied_endpoints(spec: ServiceEntry, name: str) -> list[WorkloadEntry]:
    """Without ``endpoints``, a DNS host resolves to itself and a STATIC one to its addresses."""
    addresses = spec.addresses if spec.resolution == "STATIC" else [name]
    return [WorkloadEntry.model_construct(address=address) for address in addresses]
