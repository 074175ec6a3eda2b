"""Endpoints of a port: replicas with a sidecar, WorkloadEntries, and addresses that rules name.

An endpoint whose host is neither declared (``World.outside``) nor of the mesh does not exist here,
which Envoy answers with 503 ``no healthy upstream``, as it does for a DNS name that does not
resolve.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable, Iterator, Mapping

from meshproof.model.locality import Locality, locality_of
from meshproof.model.workload_entry import WorkloadEntry
from meshproof.translate.address_book import AddressBook
from meshproof.translate.host import Endpoint
from meshproof.translate.peer_authentication import mtls_mode
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import ContainerPort, Replica, Service, ServicePort, World


def selected_replicas(service: Service, replicas: Iterable[Replica]) -> list[Replica]:
    """The replicas of a Service; one without a selector has none."""
    return replicas_with(replicas, service.namespace, service.selector)


def replicas_with(
    replicas: Iterable[Replica], namespace: str, selector: Mapping[str, str]
) -> list[Replica]:
    if not selector:
        return []
    return [r for r in replicas if r.namespace == namespace and has_labels(r.labels, selector)]


def container_port(replica: Replica, target: int | str) -> ContainerPort | None:
    """The port of ``replica`` that a Service's targetPort means, by number or by name."""
    return next((p for p in replica.ports if target in (p.port, p.name)), None)


def select_workload_entries(
    world: World, namespace: str, selector: Mapping[str, str]
) -> list[WorkloadEntry]:
    """The WorkloadEntries that the selector of a Service or a ServiceEntry picks, as in Istio."""
    if not selector:
        return []
    entries = (e.spec for e in world.workload_entries if e.namespace == namespace)
    return [e for e in entries if has_labels(e.labels, selector)]


def endpoints_by_port(
    world: World,
    ports: Iterable[ServicePort],
    members: list[Replica],
    entries: list[WorkloadEntry],
    namespace: str,
) -> Mapping[int, tuple[Endpoint, ...]]:
    """Replicas and WorkloadEntries of each port of a host in ``namespace``."""
    book = AddressBook(world)
    return {
        p.port: (
            *_replica_endpoints(world, members, p),
            *declared_endpoints(entries, p.name, p.target_port, p.port, book, namespace=namespace),
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
                mutual=mode != "DISABLE" and replica.sidecar and not replica.gateway,
                locality=locality_of(replica.labels),
            )


def declared_endpoints(
    entries: Iterable[WorkloadEntry],
    name: str,
    target: int | str | None,
    port: int,
    book: AddressBook,
    *,
    namespace: str,
) -> Iterator[Endpoint]:
    """Of one port, at the number that an entry gives it by name, else at the targetPort, else at
    its own number. Where a Service's name stands for several pods, they divide the weight."""
    places = []
    for entry in entries:
        number = entry.ports.get(name) or (target if isinstance(target, int) else None) or port
        if addresses := book.find(single_address(entry.address), number, namespace):
            places.append((entry, addresses))
    whole = math.lcm(*(len(addresses) for _, addresses in places))
    for entry, addresses in places:
        weight = (1 if entry.weight is None else entry.weight) * whole // len(addresses)
        place = Locality.parse(entry.locality) if entry.locality else locality_of(entry.labels)
        for address in addresses:
            yield Endpoint(address, entry.labels, weight, locality=place)


def single_address(address: str) -> str:
    """``10.0.0.1/32`` is ``10.0.0.1``; anything else stays (Istio's convertServices)."""
    try:
        network = ipaddress.ip_network(address)
    except ValueError:
        return address
    return str(network.network_address) if network.num_addresses == 1 else address
