"""Hosts and endpoints: what the service registry holds (Istio: pilot/pkg/model, Service and
IstioEndpoint)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from meshproof.model.locality import NOWHERE, Locality
from meshproof.translate.world import Address, ServicePort, TrafficDistribution

Resolution = Literal["EDS", "STATIC", "DNS", "ALIAS"]
"""EDS for Services and ServiceEntries that select workloads; STATIC and DNS for other
ServiceEntries; ALIAS for another name of a host."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a host's port."""

    address: Address
    labels: Mapping[str, str]
    weight: int = 1
    workload: str = ""
    namespace: str = ""
    mutual: bool = False
    """Its sidecar accepts mutual TLS."""
    locality: Locality = NOWHERE
    original: str = ""
    """The address that clients use for it, where a connection goes to that very one (resolution
    NONE)."""


@dataclass(frozen=True, slots=True)
class Host:
    """A name that rules and URLs may use. The keys of ``endpoints`` are the host's port numbers."""

    name: str
    namespace: str
    ports: tuple[ServicePort, ...]
    resolution: Resolution
    endpoints: Mapping[int, tuple[Endpoint, ...]]
    addresses: tuple[str, ...] = ()
    export_to: tuple[str, ...] = ()
    """Namespaces that see it, as exportTo writes them; empty for all."""
    identities: tuple[str, ...] = ()
    """SPIFFE ids of all its replicas, ready or not; empty outside the mesh."""
    subject_alt_names: tuple[str, ...] = ()
    """Names that its certificate must carry, from its ServiceEntry."""
    alias_of: str = ""
    """The host that it is another name of (a Service of type ExternalName)."""
    headless: bool = False
    """A Service whose name stands for its pods' own addresses."""
    traffic_distribution: TrafficDistribution = ""
    external: bool = False
    """A ServiceEntry that is not MESH_INTERNAL: no mutual TLS, even with replicas."""

    @property
    def in_mesh(self) -> bool:
        """Whether replicas serve it, over mutual TLS."""
        return self.resolution == "EDS" and not self.external

    def port(self, number: int) -> ServicePort | None:
        return next((p for p in self.ports if p.port == number), None)
