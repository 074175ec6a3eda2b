"""Gateways that are bound to Services instead of a selector.

Istio writes the annotation ``internal.istio.io/gateway-service`` on the Gateways that it makes of
the Gateway API's: the names of Services in the Gateway's namespace, divided by commas. Such a
Gateway is served by the pods of these Services, and only on their ports; a server of any other
port has no listener (PushContext.mergeGateways, resolvePorts).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshproof.translate.world import Named, Service

if TYPE_CHECKING:
    from meshproof.model.gateway import Gateway


def bind(
    gateway: Named[Gateway], names: Iterable[str], services: Iterable[Service]
) -> Named[Gateway] | None:
    """The Gateway with the selector of the Services' pods and the servers that have a port there;
    None if it has no server left. The Services of one Gateway lead to the same pods: the selector
    of the first is that of all."""
    hosts = set(names)
    bound = [
        s for s in services if s.namespace == gateway.namespace and s.fqdn in hosts and s.selector
    ]
    ports = {port.port for service in bound for port in service.ports}
    servers = [server for server in gateway.spec.servers if server.port.number in ports]
    if not servers:
        return None
    update = {"selector": dict(bound[0].selector), "servers": servers}
    return Named(gateway.name, gateway.namespace, gateway.spec.model_copy(update=update))
