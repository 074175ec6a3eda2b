"""The network of pods: its addresses and ports, where every replica has namespaces of its own.

Pods, ClusterIPs and the addresses of outside names all lie in 127.0.0.0/8, and never in
127.0.0.0/16. In the host's own namespace the whole block is loopback, so a connection to such an
address that is made there by mistake is refused, and can never leave the machine.
"""

from __future__ import annotations

import hashlib
import ipaddress
from ipaddress import IPv4Network

OUTBOUND_PORT = 15001
"""Where a sidecar takes the connections of its pod, on 127.0.0.1 (Istio's virtualOutbound)."""
BYPASS_LISTENER = "bypass"
"""The listener at ``BYPASS_PORT``."""
BYPASS_PORT = 15002
"""Where it takes those that annotations exclude from the sidecar, on 127.0.0.1, to pass them on as
they are."""
INBOUND_PORT = 15006
"""Where a sidecar takes what is sent to ports that nothing declares, on its pod's address (Istio's
virtualInbound)."""
DNS_PORT = 15053
"""Where a pod's DNS queries are answered, on 127.0.0.1 (istio-agent's port)."""
INBOUND_SOURCE = "127.0.0.6"
"""The address that an app sees as its caller's: its own sidecar's, as in Istio."""
UNCAPTURED = IPv4Network("127.0.0.0/16")
"""A pod's own loopback: connections to it, and to the pod's own address, are not captured."""
MESH_NAMESPACE_FD = 100
"""The file descriptor by which an Envoy of a pod inherits the network namespace of the mesh: higher
than any that a process has when it starts."""
MESH_NAMESPACE = f"/proc/self/fd/{MESH_NAMESPACE_FD}"
"""That namespace in an Envoy's configuration: unlike a process id's, this path never dangles."""

_CLUSTER_IPS = IPv4Network("127.250.0.0/16")
_OUTSIDE = IPv4Network("127.251.0.0/16")
"""Blocks that no mesh on this machine takes for its replicas."""


class Addresses:
    """The addresses of Services and of names outside the mesh, for as long as the mesh lives.

    A name keeps its address: whatever else is applied or deleted moves none. The first choice
    follows from the name alone, so that two meshes of the same manifests mostly agree.
    """

    def __init__(self) -> None:
        self._by_name: dict[tuple[IPv4Network, str], str] = {}
        self._taken: set[str] = set()

    def cluster_ip(self, namespace: str, name: str) -> str:
        """The ClusterIP of a Service that does not name its own."""
        return self._address(_CLUSTER_IPS, f"{namespace}/{name}")

    def outside(self, host: str) -> str:
        """The address that a host outside the mesh has in the pods."""
        return self._address(_OUTSIDE, host.lower())

    def _address(self, block: IPv4Network, name: str) -> str:
        key = (block, name)
        if key not in self._by_name:
            self._by_name[key] = self._free_address(block, name)
            self._taken.add(self._by_name[key])
        return self._by_name[key]

    def _free_address(self, block: IPv4Network, name: str) -> str:
        """The first free one from the name's own place in the block on."""
        usable = block.num_addresses - 2
        place = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
        for step in range(usable):
            address = str(block.network_address + 1 + (place + step) % usable)
            if address not in self._taken:
                return address
        raise ValueError(f"{block} is full: it holds {usable} names")


def is_address(host: str) -> bool:
    """Whether a host is written as an IPv4 address rather than as a name."""
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
