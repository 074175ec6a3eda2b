"""Names that Istio gives: the mesh's defaults, and the clusters of its Envoys.

At the floor: imports nothing of meshproof. Defaults as in Istio (pkg/config/constants, istioctl's
default profile); cluster names as BuildSubsetKey of pilot/pkg/model composes and ParseSubsetKey
reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CLUSTER_DOMAIN = "svc.cluster.local"
"""The suffix of every Service's full host name."""
TRUST_DOMAIN = "cluster.local"
ISTIO_NAMESPACE = "istio-system"
"""The namespace of istiod and of the gateways."""
ISTIO_VERSION = "1.29.6"
"""The Istio that the embedded mesh behaves like, and that a cluster gets."""
ROOT_NAMESPACE = ISTIO_NAMESPACE
"""The root namespace by default: a policy there holds for the whole mesh."""
INGRESS_GATEWAY = "istio-ingressgateway"
"""The Deployment and the Service of the ingress gateway, in ``ROOT_NAMESPACE``."""
INGRESS_GATEWAY_LABELS = {"app": INGRESS_GATEWAY, "istio": "ingressgateway"}
EGRESS_GATEWAY = "istio-egressgateway"
"""The same of the egress gateway, in the same namespace."""
EGRESS_GATEWAY_LABELS = {"app": EGRESS_GATEWAY, "istio": "egressgateway"}
BLOCK_ALL = "block_all"
"""The virtual host, and its routes, for hosts that no rule opens (REGISTRY_ONLY)."""
BLACK_HOLE_CLUSTER = "BlackHoleCluster"
"""Where a connection goes that no rule opens, on a port without HTTP services."""
VIRTUAL_INBOUND = "virtualInbound"
"""The listener that takes what comes for a pod; here, for its ports that nothing declares."""
INBOUND_PASSTHROUGH_CLUSTER = "InboundPassthroughCluster"
"""Where a sidecar sends what comes for a port of its pod that nothing declares."""
EGRESS_REFUSED = 502
"""What ``BLOCK_ALL`` answers, with an empty body (Istio: buildDefaultHTTPOutboundRoutes)."""
_INBOUND_VIRTUAL_HOST = re.compile(r"inbound\|http\|([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class ClusterName:
    """``outbound|80|v1|svcb.shop.svc.cluster.local``, or ``inbound|8080||`` for a workload's own
    app."""

    direction: str
    """``outbound`` or ``inbound``."""
    port: int
    subset: str = ""
    host: str = ""

    @classmethod
    def parse(cls, name: str) -> ClusterName | None:
        """None for any other name: ``BlackHoleCluster``, ``-`` of an access log, an empty one."""
        parts = name.split("|")
        if len(parts) != 4 or not parts[1].isdecimal():
            return None
        direction, port, subset, host = parts
        return cls(direction, int(port), subset, host)

    def __str__(self) -> str:
        return f"{self.direction}|{self.port}|{self.subset}|{self.host}"

    @property
    def short_host(self) -> str:
        """``svcb.shop``; hosts outside the cluster as they are."""
        return self.host.removesuffix(f".{CLUSTER_DOMAIN}")


def outbound_cluster(port: int, host: str, subset: str = "") -> str:
    """``outbound|80|v1|svcb.shop.svc.cluster.local``."""
    return str(ClusterName("outbound", port, subset, host))


def inbound_cluster(port: int) -> str:
    """``inbound|8080||``: also the name of the listener and the RouteConfiguration."""
    return str(ClusterName("inbound", port))


def service_host(name: str, namespace: str) -> str:
    """The full host name of a Service: ``svcb.shop.svc.cluster.local``."""
    return f"{name}.{namespace}.{CLUSTER_DOMAIN}"


def is_service_host(host: str) -> bool:
    """Whether a full host name is inside the cluster."""
    return host.endswith(f".{CLUSTER_DOMAIN}")


def inbound_virtual_host(port: int) -> str:
    """The virtual host of a sidecar's inbound routes to a Service's port: ``inbound|http|80``."""
    return f"inbound|http|{port}"


def inbound_virtual_host_port(name: str) -> int | None:
    """The Service's port of ``inbound|http|80``; None for other names."""
    match = _INBOUND_VIRTUAL_HOST.fullmatch(name)
    return int(match[1]) if match else None


def is_inbound(name: str) -> bool:
    """Whether a cluster or a virtual host leads to a sidecar's own app."""
    return name.startswith("inbound|") or name == INBOUND_PASSTHROUGH_CLUSTER


_LOOP = "connect_loop|"


def connect_loop(port: int) -> str:
    """``connect_loop|80``: a sidecar's cluster and listener for what comes out of tunnels to a
    port. Istio has no such thing: there, connections are captured."""
    return f"{_LOOP}{port}"


def is_connect_loop(name: str) -> bool:
    return name.startswith(_LOOP)


WASM_PLUGIN = "extensions.istio.io/wasmplugin/"
"""Before NAMESPACE.NAME: the filter of a WasmPlugin."""
