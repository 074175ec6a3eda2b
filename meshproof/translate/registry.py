"""Hosts that the mesh knows: Services and ServiceEntries, with what stands behind each port.

Istio's service registry (pilot/pkg/serviceregistry): a Service is one host, every name of a
ServiceEntry is one. What is beyond the mesh is reachable at declared ``World.outside`` addresses
alone: an endpoint whose host nobody declared does not exist here, which Envoy answers with 503
``no healthy upstream`` as it does for a DNS name that does not resolve. So a wildcard host
(resolution NONE, DYNAMIC_DNS) is, beside itself without endpoints, every declared host it covers.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from meshproof.model.port_protocol import handling_of
from meshproof.model.service_entry import ServiceEntry
from meshproof.model.service_entry import ServicePort as EntryPort
from meshproof.model.workload_entry import WorkloadEntry
from meshproof.translate.host_names import covers, is_wildcard
from meshproof.translate.peer_authentication import mtls_mode
from meshproof.translate.world import (
    Address,
    ContainerPort,
    Named,
    Replica,
    Service,
    ServicePort,
    World,
)

Resolution = Literal["EDS", "STATIC", "DNS", "ALIAS"]
"""EDS for Services and what selects replicas; STATIC and DNS for other ServiceEntries; ALIAS for
another name of a host."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place that answers for a port of a host."""

    address: Address
    labels: Mapping[str, str]
    weight: int = 1
    workload: str = ""
    namespace: str = ""
    mutual: bool = False
    """It has a sidecar that takes mutual TLS."""


@dataclass(frozen=True, slots=True)
class Host:
    """A name that rules and URLs may use. ``endpoints`` goes by the number of the host's port."""

    name: str
    namespace: str
    ports: tuple[ServicePort, ...]
    resolution: Resolution
    endpoints: Mapping[int, tuple[Endpoint, ...]]
    addresses: tuple[str, ...] = ()
    export_to: tuple[str, ...] = ()
    """Namespaces that know it, as exportTo writes them; none is all."""
    identities: tuple[str, ...] = ()
    """SPIFFE ids of all that serve it, ready or not; empty beyond the mesh."""
    subject_alt_names: tuple[str, ...] = ()
    """Names that its certificate must have, as its ServiceEntry says."""
    alias_of: str = ""
    """The host that it is another name of (a Service of type ExternalName)."""
    external: bool = False
    """A ServiceEntry that is not MESH_INTERNAL: no mutual TLS, even towards replicas."""

    @property
    def in_mesh(self) -> bool:
        """Whether replicas serve it and mutual TLS is spoken to them."""
        return self.resolution == "EDS" and not self.external

    def port(self, number: int) -> ServicePort | None:
        return next((p for p in self.ports if p.port == number), None)


def has_labels(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    """Whether ``labels`` holds every pair of ``wanted``."""
    return all(labels.get(key) == value for key, value in selector.items())


def selected_replicas(service: Service, replicas: Iterable[Replica]) -> list[Replica]:
    """The replicas behind a Service; one without a selector has none."""
    return _replicas_with(replicas, service.namespace, service.selector)


def _replicas_with(
    replicas: Iterable[Replica], namespace: str, selector: Mapping[str, str]
) -> list[Replica]:
    if not selector:
        return []
    return [r for r in replicas if r.namespace == namespace and has_labels(r.labels, selector)]


def container_port(replica: Replica, target: int | str) -> ContainerPort | None:
    """The port of ``replica`` that a Service's targetPort means, by number or by name."""
    return next((p for p in replica.ports if target in (p.port, p.name)), None)


def hosts(world: World) -> tuple[Host, ...]:
    """Every host, Services first; the ports of a host that is declared twice are joined."""
    by_key: dict[tuple[str, str], Host] = {}
    for host in (*_service_hosts(world), *_service_entry_hosts(world)):
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
    for replica in world.replicas:
        by_namespace.setdefault(replica.namespace, []).append(replica)
    for service in world.services:
        if service.external_name:
            yield _alias_host(service)
            continue
        members = selected_replicas(service, by_namespace.get(service.namespace, ()))
        entries = _select_workload_entries(world, service.namespace, service.selector)
        yield Host(
            name=service.fqdn,
            namespace=service.namespace,
            ports=service.ports,
            resolution="EDS",
            endpoints=_endpoints_by_port(world, service.ports, members, entries),
            export_to=service.export_to,
            identities=tuple(sorted({r.identity for r in members})),
        )


def _alias_host(service: Service) -> Host:
    ports, target = service.ports, service.external_name.removesuffix(".").lower()
    export_to = service.export_to
    return Host(service.fqdn, service.namespace, ports, "ALIAS", {}, (), export_to, alias_of=target)


def _select_workload_entries(
    world: World, namespace: str, selector: Mapping[str, str]
) -> list[WorkloadEntry]:
    """Those that a selector picks: Istio lets Services and ServiceEntries select them."""
    if not selector:
        return []
    entries = (e.spec for e in world.workload_entries if e.namespace == namespace)
    return [e for e in entries if has_labels(e.labels, selector)]


def _endpoints_by_port(
    world: World,
    ports: Iterable[ServicePort],
    members: list[Replica],
    entries: list[WorkloadEntry],
) -> Mapping[int, tuple[Endpoint, ...]]:
    """Replicas and WorkloadEntries behind each port."""
    outside = _declared_addresses(world) if entries else {}
    return {
        p.port: (
            *_replica_endpoints(world, members, p),
            *_declared_endpoints(entries, p.name, p.target_port, p.port, outside),
        )
        for p in ports
    }


def _replica_endpoints(
    world: World, members: Iterable[Replica], port: ServicePort
) -> Iterator[Endpoint]:
    for replica in sorted(members, key=lambda r: r.name):
        target = container_port(replica, port.target_port)
        if replica.ready and target is not None:
            mode = mtls_mode(
                world.peer_authentications, replica.namespace, replica.labels, target.port
            )
            yield Endpoint(
                target.listen,
                replica.labels,
                workload=replica.workload,
                namespace=replica.namespace,
                mutual=mode != "DISABLE",
            )


def _service_entry_hosts(world: World) -> Iterator[Host]:
    outside = _declared_addresses(world)
    for entry in world.service_entries:
        for name in entry.spec.hosts:
            if entry.spec.workload_selector is None:
                yield from (
                    _outside_host(entry, n, outside) for n in _covered_names(entry, name, outside)
                )
            else:
                yield _selecting_host(world, entry, name, entry.spec.workload_selector.labels)


def _declared_addresses(world: World) -> Mapping[str, Mapping[int, Address]]:
    return {o.host.lower(): o.ports for o in world.outside}


def _covered_names(
    entry: Named[ServiceEntry], name: str, outside: Mapping[str, Mapping[int, Address]]
) -> Iterator[str]:
    """A host, and the declared ones within it where the request's own name is the address."""
    if is_wildcard(name) and entry.spec.resolution in _ADDRESSED_BY_REQUEST:
        names = {h.lower() for h in entry.spec.hosts}
        yield from (n for n in outside if covers(name, n) and n not in names)
    yield name


_ADDRESSED_BY_REQUEST = ("NONE", "DYNAMIC_DNS")


def _selecting_host(
    world: World, entry: Named[ServiceEntry], name: str, selector: Mapping[str, str]
) -> Host:
    """A ServiceEntry with a workloadSelector: replicas and WorkloadEntries stand behind it, as
    behind a Service; with DNS the latter alone."""
    ports = _ports(entry.spec)
    replicas = world.replicas if entry.spec.resolution == "STATIC" else ()
    members = _replicas_with(replicas, entry.namespace, selector)
    entries = _select_workload_entries(world, entry.namespace, selector)
    return replace(
        _host(entry, name, ports),
        resolution="EDS",
        endpoints=_endpoints_by_port(world, ports, members, entries),
        identities=tuple(sorted({r.identity for r in members})),
        external=entry.spec.location != "MESH_INTERNAL",
    )


def _outside_host(
    entry: Named[ServiceEntry], name: str, outside: Mapping[str, Mapping[int, Address]]
) -> Host:
    ports = _ports(entry.spec)
    return replace(
        _host(entry, name, ports),
        endpoints={
            p.number: tuple(_outside_endpoints(entry, name, p, outside)) for p in entry.spec.ports
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
        addresses=tuple(_single_address(a) for a in spec.addresses),
        export_to=tuple(spec.export_to),
        subject_alt_names=tuple(spec.subject_alt_names),
        external=True,
    )


def _ports(spec: ServiceEntry) -> tuple[ServicePort, ...]:
    return tuple(
        ServicePort(
            p.name,
            p.number,
            p.target_port or p.number,
            handling_of(p.protocol),
            h2=p.protocol in ("HTTP2", "GRPC"),
        )
        for p in spec.ports
    )


def _outside_endpoints(
    entry: Named[ServiceEntry],
    name: str,
    port: EntryPort,
    outside: Mapping[str, Mapping[int, Address]],
) -> Iterator[Endpoint]:
    """Real addresses of one port: declared ones, looked up by endpoint, address or host."""
    entries = entry.spec.endpoints or _implied_endpoints(entry.spec, name)
    yield from _declared_endpoints(entries, port.name, port.target_port, port.number, outside)


def _declared_endpoints(
    entries: Iterable[WorkloadEntry],
    name: str,
    target: int | str | None,
    port: int,
    outside: Mapping[str, Mapping[int, Address]],
) -> Iterator[Endpoint]:
    """Real addresses of one port: its own number at a place, else the target, else the port."""
    for entry in entries:
        number = entry.ports.get(name) or (target if isinstance(target, int) else None) or port
        address = outside.get(_single_address(entry.address).lower(), {}).get(number)
        if address is not None:
            weight = 1 if entry.weight is None else entry.weight
            yield Endpoint(address, entry.labels, weight)


def _implied_endpoints(spec: ServiceEntry, name: str) -> list[WorkloadEntry]:
    """Without endpoints a DNS host stands for itself, a STATIC one for its addresses."""
    addresses = spec.addresses if spec.resolution == "STATIC" else [name]
    return [WorkloadEntry.model_construct(address=address) for address in addresses]


def _single_address(address: str) -> str:
    """``10.0.0.1/32`` is ``10.0.0.1``; anything else stays (Istio's convertServices)."""
    try:
        network = ipaddress.ip_network(address)
    except ValueError:
        return address
    return str(network.network_address) if network.num_addresses == 1 else address
