"""The Envoys of a mesh, with the configuration of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from meshproof.explain.string_match import Json
from meshproof.istio_names import VIRTUAL_INBOUND
from meshproof.model.capture import EVERYTHING, Capture

Address = tuple[str, int]


@dataclass(frozen=True)
class Proxy:
    """One Envoy with its resources by name; ``workload`` is ``namespace/name``."""

    name: str
    namespace: str
    workload: str
    identity: str
    """Its SPIFFE id."""
    ip: str
    clusters: Mapping[str, Json]
    endpoints: Mapping[str, Json]
    listeners: Mapping[str, Json]
    routes: Mapping[str, Json]
    version: str = ""
    app: str = ""
    """Its ``app`` label, another name of the workload."""
    gateway: bool = False
    sidecar: bool = True
    """False for the relay of a pod without a sidecar."""
    capture: Capture = EVERYTHING
    """What of its pod's connections it takes."""

    def listener_at(self, address: Address) -> Json | None:
        """The one that takes a connection to ``address``: in a pod, its catch-all where no other
        does."""
        for listener in self.listeners.values():
            if _address(listener) == address:
                return listener
        catch_all = self.listeners.get(VIRTUAL_INBOUND)
        return catch_all if address[0] == self.ip else None


@dataclass(frozen=True, slots=True)
class LinkFault:
    """A network fault between a caller and what it stands before: ``real``, an address or the
    path of a Unix socket."""

    real: Address | str
    kind: str
    """``latency``, ``loss``, ``refuse`` or ``cut``."""


@dataclass(frozen=True)
class Fleet:
    """``outside`` are the names of hosts outside the mesh, by their real address: several hosts
    may share one."""

    proxies: tuple[Proxy, ...]
    outside: Mapping[Address, Sequence[str]] = field(default_factory=dict)
    link_faults: Mapping[Address | str, LinkFault] = field(default_factory=dict)
    """By the address that callers were given instead of the real one."""
    pipes: Mapping[str, Address] = field(default_factory=dict)
    """The address behind each Unix socket that leads into the pods or out of them."""
    resolve: Callable[[str, str], Sequence[str] | None] = lambda _namespace, _name: None
    """The addresses of a name in the pods of a namespace; None if it does not exist there."""
    pods: bool = True
    """Whether replicas are in pods, where every connection is captured."""

    def address_of(self, place: Address | str) -> Address | None:
        """The address behind a Unix socket, None for an app's own; any address itself."""
        return self.pipes.get(place) if isinstance(place, str) else place

    def at(self, ip: str) -> Proxy | None:
        """The sidecar whose replica has that address, or the gateway that has it."""
        return next((p for p in self.proxies if p.ip == ip), None)


def _address(listener: Json) -> Address | None:
    """None for one on a Unix socket."""
    socket_address = listener["address"].get("socket_address")
    return (socket_address["address"], socket_address["port_value"]) if socket_address else None
