"""The translator's input: the mesh as plain, immutable data. No I/O, nothing of Envoy.

A ``World`` is built for every change, from the applied resources and the running replicas. Equal
worlds give equal Envoy configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from meshproof.istio_names import ROOT_NAMESPACE, TRUST_DOMAIN, service_host
from meshproof.model.capture import EVERYTHING, Capture
from meshproof.model.mesh_config import NO_MESH_CONFIG, MeshConfig

if TYPE_CHECKING:
    from meshproof.model.authorization_policy import AuthorizationPolicy
    from meshproof.model.destination_rule import DestinationRule
    from meshproof.model.envoy_filter import EnvoyFilter
    from meshproof.model.gateway import Gateway
    from meshproof.model.jwks import KeySource
    from meshproof.model.peer_authentication import PeerAuthentication
    from meshproof.model.proxy_config import ProxyConfig
    from meshproof.model.request_authentication import RequestAuthentication
    from meshproof.model.service_entry import ServiceEntry
    from meshproof.model.sidecar import Sidecar
    from meshproof.model.telemetry import Telemetry
    from meshproof.model.virtual_service import VirtualService
    from meshproof.model.wasm_plugin import WasmPlugin
    from meshproof.model.workload_entry import WorkloadEntry

PROXY_PORT = 15001
"""The outbound proxy listener of every sidecar, on its replica's address."""
PROBE_PORT = 15021
"""The listener that answers 200 and writes an access log line (Istio's health port)."""

T = TypeVar("T")
Protocol = Literal["HTTP", "HTTPS", "TLS", "TCP"]
TrafficDistribution = Literal["", "zone", "node"]
"""What clients of a Service or ServiceEntry prefer: replicas of their zone, or of their node."""


@dataclass(frozen=True, slots=True)
class Address:
    """A listening address: ``ip`` and ``port``, or the ``path`` of a Unix socket."""

    ip: str = ""
    port: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class ServicePort:
    name: str
    port: int
    target_port: int | str
    """A container port's number or its name."""
    protocol: Protocol
    h2: bool | None = False
    """Whether it speaks HTTP/2 (protocol HTTP2, GRPC or GRPC-WEB); None if no protocol is
    declared: then it speaks what the client speaks (Istio's protocol sniffing)."""
    grpc: bool = False
    """Whether its requests are gRPC's, which may be streams."""

    @property
    def kind(self) -> Literal["HTTP", "BYTES", "AUTO"]:
        """How connections to it are handled in pods: AUTO where no protocol is declared."""
        if self.protocol != "HTTP":
            return "BYTES"
        return "AUTO" if self.h2 is None else "HTTP"


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    namespace: str
    selector: Mapping[str, str]
    ports: tuple[ServicePort, ...]
    external_name: str = ""
    """The host that it is an alias of (type ExternalName), else empty."""
    cluster_ip: str = ""
    """Its address in the pods; empty without pods, for a headless Service, and for an alias."""
    headless: bool = False
    """Its name stands for its pods' own addresses."""
    export_to: tuple[str, ...] = ()
    """Namespaces that see it, as exportTo writes them; empty for all."""
    traffic_distribution: TrafficDistribution = ""
    translates_gateway_ports: bool = True
    """False if its targetPorts say nothing of the ports of a gateway that it selects (label
    experimental.istio.io/disable-gateway-port-translation)."""

    @property
    def fqdn(self) -> str:
        return service_host(self.name, self.namespace)

    def selects(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether it leads to pods with these labels; without a selector it leads to none."""
        return (
            bool(self.selector)
            and self.namespace == namespace
            and all(labels.get(key) == value for key, value in self.selector.items())
        )


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """One port of a replica. It is declared as ``port``; its sidecar listens at ``listen`` and
    forwards to the app at ``app``. ``listen.port`` differs from ``port`` if that is privileged or
    in use."""

    name: str
    port: int
    listen: Address
    app: Address
    pipe: str = ""
    """The path of a Unix socket where its sidecar listens too: for proxies outside the pods."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One running replica of a workload, with its own sidecar, or, in a pod, without."""

    name: str
    namespace: str
    workload: str
    labels: Mapping[str, str]
    service_account: str
    ip: str
    ports: tuple[ContainerPort, ...]
    ready: bool
    probe: str = ""
    """The path of the Unix socket of its probe listener; empty where that is a port."""
    sidecar: bool = True
    """False for a pod whose injection is off: its Envoy is a plain relay (``translate.relay``)."""
    capture: Capture = EVERYTHING
    """What of its connections its sidecar takes."""
    gateway: bool = False
    """It is a gateway Envoy without an app: ``ports`` are those of its Gateways' servers, and
    clients reach it without mutual TLS unless a DestinationRule says otherwise, as in Istio."""
    trust_domain: str = TRUST_DOMAIN

    @property
    def identity(self) -> str:
        """The SPIFFE id in its certificate."""
        return f"spiffe://{self.trust_domain}/ns/{self.namespace}/sa/{self.service_account}"


@dataclass(frozen=True, slots=True)
class Outside:
    """A declared host outside the mesh; ``ports`` maps the port of a URL to the real address."""

    host: str
    ports: Mapping[int, Address]
    pipes: Mapping[int, str] = field(default_factory=dict)
    """By the port of a URL, the path of the Unix socket by which pods reach it: their way out."""


@dataclass(frozen=True, slots=True)
class Named(Generic[T]):
    """A rule with its name. The order in ``World`` is Istio's: creation, then name, namespace."""

    name: str
    namespace: str
    spec: T
    gateway: bool = False
    """A VirtualService converted from HTTPRoutes, with the semantics of the Gateway API where the
    two differ (Istio's annotation route-semantics=gateway)."""
    root: str = ROOT_NAMESPACE
    """The mesh's root namespace."""
    dry_run: bool = False
    """An AuthorizationPolicy that only counts what it would do (annotation istio.io/dry-run)."""
    traffic_distribution: TrafficDistribution = ""
    """Of a ServiceEntry (annotation networking.istio.io/traffic-distribution)."""

    @property
    def in_root(self) -> bool:
        """Whether it is of the root namespace, and so for the whole mesh."""
        return self.namespace == self.root


@dataclass(frozen=True, slots=True)
class TlsSecret:
    """A Secret with a certificate chain and its key, or with authorities, or both; as PEM."""

    name: str
    namespace: str
    chain: str = ""
    key: str = ""
    ca: str = ""
    crl: str = ""
    """Certificates that the authorities have revoked."""


@dataclass(frozen=True, slots=True)
class WasmModule:
    """The file of a WasmPlugin, as it is now."""

    path: str
    sha256: str = ""


@dataclass(frozen=True)
class World:
    services: tuple[Service, ...] = ()
    replicas: tuple[Replica, ...] = ()
    gateway_replicas: tuple[Replica, ...] = ()
    outside: tuple[Outside, ...] = ()
    virtual_services: tuple[Named[VirtualService], ...] = ()
    destination_rules: tuple[Named[DestinationRule], ...] = ()
    service_entries: tuple[Named[ServiceEntry], ...] = ()
    workload_entries: tuple[Named[WorkloadEntry], ...] = ()
    manual_endpoints: Mapping[tuple[str, str], tuple[WorkloadEntry, ...]] = field(
        default_factory=dict
    )
    """By namespace and Service: those of Endpoints and EndpointSlices that users wrote."""
    gateways: tuple[Named[Gateway], ...] = ()
    sidecars: tuple[Named[Sidecar], ...] = ()
    peer_authentications: tuple[Named[PeerAuthentication], ...] = ()
    authorization_policies: tuple[Named[AuthorizationPolicy], ...] = ()
    request_authentications: tuple[Named[RequestAuthentication], ...] = ()
    token_keys: Mapping[KeySource, str] = field(default_factory=dict)
    """Key sets that the mesh fetched for rules without their own."""
    envoy_filters: tuple[Named[EnvoyFilter], ...] = ()
    telemetries: tuple[Named[Telemetry], ...] = ()
    wasm_plugins: tuple[Named[WasmPlugin], ...] = ()
    wasm_modules: Mapping[tuple[str, str], WasmModule] = field(default_factory=dict)
    """By a WasmPlugin's namespace and name; of one that is not here the file is not known."""
    tls_secrets: tuple[TlsSecret, ...] = ()
    pods: bool = False
    """Every replica has a network namespace of its own, whose connections its sidecar takes."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """The addresses, in the pods, of hosts outside the mesh that have none of their own."""
    mesh: MeshConfig = NO_MESH_CONFIG
    proxy_configs: Mapping[tuple[str, str], ProxyConfig] = field(default_factory=dict)
    """By namespace and workload, where that is another than the mesh's ``default_config``."""
    missing_files: frozenset[str] = frozenset()
    """Certificate files that rules name and this machine does not have."""


def select_fields(world: World, names: Iterable[str]) -> tuple[object, ...]:
    """The values of these fields, as inputs of a ``Memo``."""
    return tuple(getattr(world, name) for name in names)


@dataclass(frozen=True, slots=True)
class Proxy:
    """An Envoy as rules select it. All replicas of a workload share one outbound configuration."""

    kind: Literal["sidecar", "gateway", "relay"]
    """``relay``: of a pod without a sidecar."""
    namespace: str
    workload: str
    labels: Mapping[str, str]
    service_account: str
    files: Mapping[str, str] = field(default_factory=dict)
    """Files of a gateway's container that rules may name: path -> PEM."""


def mesh_of(world: World, proxy: Proxy | Replica) -> MeshConfig:
    """The mesh's settings as they hold for one proxy."""
    config = world.proxy_configs.get((proxy.namespace, proxy.workload))
    if config is None:
        return world.mesh
    return world.mesh.model_copy(update={"default_config": config})


Resource = dict[str, object]
"""One Envoy resource in protobuf's JSON form (snake_case field names)."""


@dataclass
class Config:
    """Envoy resources by type and name; ``endpoints`` are ClusterLoadAssignments."""

    clusters: dict[str, Resource] = field(default_factory=dict)
    endpoints: dict[str, Resource] = field(default_factory=dict)
    listeners: dict[str, Resource] = field(default_factory=dict)
    routes: dict[str, Resource] = field(default_factory=dict)
