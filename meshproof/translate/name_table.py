"""The names that a pod's DNS knows: a Kubernetes cluster's, and those outside the mesh.

Kubernetes' DNS specification (kubernetes/dns, docs/specification.md): a Service has its ClusterIP,
a headless one the addresses of its ready pods, an ExternalName is an alias, a named port has an SRV
record. Pure; short names are the client's affair, by its search list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from meshproof.istio_names import CLUSTER_DOMAIN, TRUST_DOMAIN
from meshproof.model.kube_workloads import POD_NAME
from meshproof.model.pod_network import is_address
from meshproof.translate.endpoints import container_port, selected_replicas
from meshproof.translate.world import Replica, Service, World

_CLUSTER = TRUST_DOMAIN
"""The cluster's own DNS domain, which is its trust domain too."""
_NDOTS = 5
"""A name with fewer dots is searched for first (kubelet's resolv.conf)."""


@dataclass(frozen=True)
class NameTable:
    """Names are absolute, in lower case, without the last dot."""

    addresses: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, str]
    ports: Mapping[str, tuple[tuple[int, str], ...]]

    def lookup(self, name: str) -> tuple[str, ...] | None:
        """The IPv4 addresses of a name, of an alias those of what it stands for. Empty for a name
        that has none; None for one that does not exist."""
        visited: set[str] = set()
        while (target := self.aliases.get(name)) is not None and name not in visited:
            visited.add(name)
            name = target
        if name in self.addresses:
            return self.addresses[name]
        return () if name in self.ports or visited else None

    def canonical(self, name: str) -> str:
        """What an alias stands for; empty for any other name."""
        return self.aliases.get(name, "")

    def services(self, name: str) -> tuple[tuple[int, str], ...]:
        """Port and host of each SRV record of ``_port._tcp.service...``."""
        return self.ports.get(name, ())


def build_name_table(world: World) -> NameTable:
    """The table of a world of pods. Cluster names win over outside ones."""
    addresses: dict[str, tuple[str, ...]] = {}
    aliases: dict[str, str] = {}
    ports: dict[str, tuple[tuple[int, str], ...]] = {}
    for name, address in world.addresses.items():
        addresses[name] = (address,)
    addresses |= _service_entry_addresses(world)
    for replica in world.replicas:
        addresses[f"{_dashed(replica.ip)}.{replica.namespace}.pod.{_CLUSTER}"] = (replica.ip,)
    for service in world.services:
        name = service.fqdn.lower()
        if service.external_name:
            aliases[name] = service.external_name.removesuffix(".").lower()
        elif service.headless:
            pods = [r for r in selected_replicas(service, world.replicas) if r.ready]
            if pods:
                addresses[name] = tuple(pod.ip for pod in pods)
            addresses |= {_pod_host(service, pod): (pod.ip,) for pod in pods}
            ports |= dict(_pod_ports(service, pods))
        else:
            addresses[name] = (service.cluster_ip,) if service.cluster_ip else ()
            ports |= dict(_service_ports(service))
    return NameTable(addresses, aliases, ports)


def search_name(table: NameTable, namespace: str, name: str) -> tuple[str, ...] | None:
    """The addresses of a name as a pod's resolver looks it up: by its search list, with ndots:5."""
    absolute = name.removesuffix(".").lower()
    candidates = [absolute]
    if not name.endswith("."):
        domains = (f"{namespace}.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN, _CLUSTER)
        searched = [f"{absolute}.{domain}" for domain in domains]
        candidates = (
            searched + candidates if absolute.count(".") < _NDOTS else candidates + searched
        )
    for candidate in candidates:
        if addresses := table.lookup(candidate):
            return addresses
    return None


def _service_entry_addresses(world: World) -> dict[str, tuple[str, ...]]:
    """Of hosts whose ServiceEntry names addresses of its own."""
    result: dict[str, tuple[str, ...]] = {}
    for entry in world.service_entries:
        single = tuple(a.removesuffix("/32") for a in entry.spec.addresses)
        single = tuple(a for a in single if is_address(a))
        for host in entry.spec.hosts if single else ():
            result.setdefault(host.removesuffix(".").lower(), single)
    return result


def _dashed(ip: str) -> str:
    return ip.replace(".", "-")


def _pod_host(service: Service, pod: Replica) -> str:
    """A pod's name within a headless Service: its own in a StatefulSet, else from its address."""
    return f"{pod.labels.get(POD_NAME) or _dashed(pod.ip)}.{service.fqdn}".lower()


def _pod_ports(
    service: Service, pods: Iterable[Replica]
) -> Iterator[tuple[str, tuple[tuple[int, str], ...]]]:
    for port in service.ports:
        rows = [(container_port(pod, port.target_port), _pod_host(service, pod)) for pod in pods]
        if port.name:
            yield _srv(port.name, service), tuple((p.port, host) for p, host in rows if p)


def _service_ports(service: Service) -> Iterator[tuple[str, tuple[tuple[int, str], ...]]]:
    for port in service.ports:
        if port.name:
            yield _srv(port.name, service), ((port.port, service.fqdn.lower()),)


def _srv(port: str, service: Service) -> str:
    return f"_{port}._tcp.{service.fqdn}".lower()
