"""Hosts that the mesh knows: Services and ServiceEntries, with what stands behind each port.

Istio's service registry (pilot/pkg/serviceregistry): a Service is one host, every name of a
ServiceEntry is one. What is beyond the mesh is reachable at declared ``World.outside`` addresses
alone: an endpoint whose host nobody declared does not exist here, which Envoy answers with 503
``no healthy upstream`` as it does for a DNS name that does not resolve.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from meshproof.model.istio import ServiceEntry, WorkloadEntry
from meshproof.model.istio import ServicePort as EntryPort
from meshproof.translate.world import (
    Address,
    ContainerPort,
    Named,
    Replica,
    Service,
    ServicePort,
    World,
)

Resolution = Literal["EDS", "STATIC", "DNS"]
"""EDS for Services; STATIC and DNS for ServiceEntries."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place that answers for a port of a host."""

    address: Address
    labels: Mapping[str, str]
    weight: int = 1
    workload: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """A name that rules and URLs may use. ``endpoints`` goes by the number of the host's port."""

    name: str
    namespace: str
    ports: tuple[ServicePort, ...]
    resolution: Resolution
    endpoints: Mapping[int, tuple[Endpoint, ...]]
    addresses: tuple[str, ...] = ()
    private: bool = False
    """exportTo ``.``: known in its own namespace only."""
    identities: tuple[str, ...] = ()
    """SPIFFE ids of all that serve it, ready or not; empty beyond the mesh."""

    @property
    def in_mesh(self) -> bool:
        return self.resolution == "EDS"

    def port(self, number: int) -> ServicePort | None:
        return next((p for p in self.ports if p.port == number), None)


def is_private(export_to: Iterable[str]) -> bool:
    """exportTo ``.`` without ``*``."""
    names = tuple(export_to)
    return bool(names) and "*" not in names


def carries(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether ``labels`` holds every pair of ``wanted``."""
    return all(labels.get(key) == value for key, value in wanted.items())


def selected(service: Service, replicas: Iterable[Replica]) -> list[Replica]:
    """The replicas behind a Service; one without a selector has none."""
    if not service.selector:
        return []
    return [
        r
        for r in replicas
        if r.namespace == service.namespace and carries(r.labels, service.selector)
    ]


def container_port(replica: Replica, target: int | str) -> ContainerPort | None:
    """The port of ``replica`` that a Service's targetPort means, by number or by name."""
    return next((p for p in replica.ports if target in (p.port, p.name)), None)


def hosts(world: World) -> tuple[Host, ...]:
    """Every host, Services first; the ports of a host that is declared twice are joined."""
    found: dict[tuple[str, str], Host] = {}
    for host in (*_services(world), *_entries(world)):
        key = (host.name, host.namespace)
        found[key] = _joined(found[key], host) if key in found else host
    return tuple(found.values())


def _joined(first: Host, second: Host) -> Host:
    added = tuple(p for p in second.ports if first.port(p.port) is None)
    return replace(
        first,
        ports=first.ports + added,
        endpoints={**second.endpoints, **first.endpoints},
        addresses=tuple(dict.fromkeys(first.addresses + second.addresses)),
    )


def _services(world: World) -> Iterator[Host]:
    by_namespace: dict[str, list[Replica]] = {}
    for replica in world.replicas:
        by_namespace.setdefault(replica.namespace, []).append(replica)
    for service in world.services:
        members = selected(service, by_namespace.get(service.namespace, ()))
        yield Host(
            name=service.fqdn,
            namespace=service.namespace,
            ports=service.ports,
            resolution="EDS",
            endpoints={p.port: tuple(_replica_endpoints(members, p)) for p in service.ports},
            identities=tuple(sorted({r.identity for r in members})),
        )


def _replica_endpoints(members: Iterable[Replica], port: ServicePort) -> Iterator[Endpoint]:
    for replica in sorted(members, key=lambda r: r.name):
        target = container_port(replica, port.target_port)
        if replica.ready and target is not None:
            yield Endpoint(
                target.listen,
                replica.labels,
                workload=replica.workload,
                namespace=replica.namespace,
            )


def _entries(world: World) -> Iterator[Host]:
    outside = {o.host.lower(): o.ports for o in world.outside}
    for entry in world.service_entries:
        spec = entry.spec
        for name in spec.hosts:
            yield Host(
                name=name,
                namespace=entry.namespace,
                ports=tuple(
                    ServicePort(p.name, p.number, p.target_port or p.number, p.protocol)
                    for p in spec.ports
                ),
                resolution=spec.resolution,
                endpoints={
                    p.number: tuple(_outside_endpoints(entry, name, p, outside)) for p in spec.ports
                },
                addresses=tuple(_single(a) for a in spec.addresses),
                private=is_private(spec.export_to),
            )


def _outside_endpoints(
    entry: Named[ServiceEntry],
    name: str,
    port: EntryPort,
    outside: Mapping[str, Mapping[int, Address]],
) -> Iterator[Endpoint]:
    """Real addresses of one port: declared ones, looked up by endpoint, address or host."""
    for place in entry.spec.endpoints or _implied(entry.spec, name):
        number = place.ports.get(port.name) or port.target_port or port.number
        real = outside.get(_single(place.address).lower(), {}).get(number)
        if real is not None:
            weight = 1 if place.weight is None else place.weight
            yield Endpoint(real, place.labels, weight)


def _implied(spec: ServiceEntry, name: str) -> list[WorkloadEntry]:
    """Without endpoints a DNS host stands for itself, a STATIC one for its addresses."""
    places = spec.addresses if spec.resolution == "STATIC" else [name]
    return [WorkloadEntry.model_validate({"address": place}) for place in places]


def _single(address: str) -> str:
    """``10.0.0.1/32`` is ``10.0.0.1``; anything else stays (Istio's convertServices)."""
    try:
        network = ipaddress.ip_network(address)
    except ValueError:
        return address
    return str(network.network_address) if network.num_addresses == 1 else address
