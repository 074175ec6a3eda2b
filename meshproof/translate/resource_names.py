"""Names of Envoy resources beside clusters, as Istio writes them (for clusters see istio_names)."""

from __future__ import annotations

from meshproof.model.gateway import GatewayServer

OUTBOUND = "outbound"
"""The RouteConfiguration of every sidecar's outbound proxy listener."""
PROBE = "probe"


def outbound_sni(port: int, host: str, subset: str = "") -> str:
    """``outbound_.80_.v1_.svcb.shop.svc.cluster.local`` (pilot/pkg/model, BuildDNSSrvSubsetKey)."""
    return f"outbound_.{port}_.{subset}_.{host}"


def secure_gateway_routes(server: GatewayServer, gateway: tuple[str, str]) -> str:
    """The RouteConfiguration of one HTTPS server: ``https.443.https.shop.default``."""
    port, (namespace, name) = server.port, gateway
    return f"https.{port.number}.{server.name or port.name or 'https'}.{name}.{namespace}"


def port_routes(port: int) -> str:
    """The RouteConfiguration of one HTTP port, of sidecars in pods and of tunnels: ``80``."""
    return str(port)


def sniffed_routes(host: str, port: int) -> str:
    """The RouteConfiguration of one host's port without a protocol, of sidecars in pods:
    ``svcb.shop.svc.cluster.local:80``."""
    return f"{host}:{port}"


def gateway_routes(port: int) -> str:
    """The RouteConfiguration of one Gateway server port: ``http.80``."""
    return f"http.{port}"
