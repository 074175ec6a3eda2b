"""The gateway Envoy, where traffic from outside enters: Istio's ingress gateway by its labels."""

from __future__ import annotations

from meshproof.embedded.context import MeshContext
from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.errors import UsageError
from meshproof.host.addresses import real_port
from meshproof.istio_names import (
    INGRESS_GATEWAY,
    INGRESS_GATEWAY_LABELS,
    ROOT_NAMESPACE,
    TRUST_DOMAIN,
)
from meshproof.translate.world import Proxy, World

PROXY = Proxy(
    kind="gateway",
    namespace=ROOT_NAMESPACE,
    workload=INGRESS_GATEWAY,
    labels=INGRESS_GATEWAY_LABELS,
    service_account=f"{INGRESS_GATEWAY}-service-account",
)
IDENTITY = f"spiffe://{TRUST_DOMAIN}/ns/{ROOT_NAMESPACE}/sa/{PROXY.service_account}"


class GatewayRunner:
    """One Envoy for every Gateway whose selector matches ``PROXY.labels``."""

    def __init__(self, context: MeshContext) -> None:
        self.ip = context.block.gateway
        self.envoy = EnvoyProcess(
            context,
            INGRESS_GATEWAY,
            slot=0,
            ip=self.ip,
            service=f"{INGRESS_GATEWAY}.{ROOT_NAMESPACE}",
            metadata={
                "NAMESPACE": ROOT_NAMESPACE,
                "WORKLOAD_NAME": INGRESS_GATEWAY,
                "LABELS": dict(PROXY.labels),
            },
        )
        self._ports: dict[int, int] = {}

    def ports(self, world: World) -> dict[int, int]:
        """The port of every Gateway server, and the real port that it has here."""
        declared = {
            server.port.number
            for gateway in world.gateways
            if gateway.spec.selector.items() <= PROXY.labels.items()
            for server in gateway.spec.servers
        }
        for port in sorted(declared):
            if port not in self._ports:
                self._ports[port] = real_port(self.ip, port)
        return {port: self._ports[port] for port in sorted(declared)}

    def url(self, world: World) -> str:
        """Of the lowest port. Raises UsageError while no Gateway is applied."""
        ports = self.ports(world)
        if not ports:
            raise UsageError(
                "the gateway serves nothing: no Gateway selects it; apply a Gateway whose "
                "selector is `istio: ingressgateway`"
            )
        return f"http://{self.ip}:{ports[min(ports)]}"
