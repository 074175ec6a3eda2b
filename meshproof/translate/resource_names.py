"""Names of Envoy resources, as Istio writes them (pilot/pkg/model, BuildSubsetKey)."""

from __future__ import annotations

from meshproof.model.gateway import GatewayServer

OUTBOUND = "outbound"
"""The RouteConfiguration of every sidecar's outbound proxy listener."""
BLOCK_ALL = "block_all"
"""The catch-all virtual host and its routes: REGISTRY_ONLY's refusal."""
CONNECT_LOOP = "connect_loop"
"""The cluster that leads a terminated CONNECT back into the sidecar's own outbound listener."""
PROBE = "probe"


def outbound_sni(port: int, host: str, subset: str = "") -> str:
    """``outbound_.80_.v1_.svcb.default.svc.cluster.local``."""
    return f"outbound_.{port}_.{subset}_.{host}"


def secure_gateway_routes(server: GatewayServer, gateway: tuple[str, str]) -> str:
    """The RouteConfiguration of one HTTPS server: ``https.443.https.shop.default``."""
    port, (namespace, name) = server.port, gateway
    return f"https.{port.number}.{server.name or port.name or 'https'}.{name}.{namespace}"


def gateway_routes(port: int) -> str:
    """The RouteConfiguration of one Gateway server port: ``http.80``."""
    return f"http.{port}"
