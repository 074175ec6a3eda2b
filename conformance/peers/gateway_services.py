"""Requests of the simulated gateways that are bound to Services, after Istio 1.29.6's
TestTargetPort and TestGatewayServices.

The Services stand as ServiceEntries there. A request names the port of a server, not the port of
the pod that a Service leads to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.peers.case import Call, Case, call

_GROUP = "gateway ports of the Service"
_OWN = "istio-ingressgateway"
_OTHER = "ingress"


def cases(_: Any) -> Iterator[Case]:
    name = "TestTargetPort (3 calls)"
    yield Case(_GROUP, name, _mesh(((_OWN, 80, 8080),), (_OWN,), (80, 8080)), [_served(80)])
    two = ((_OWN, 80, 8080), (_OTHER, 83, 8083))
    yield Case(_GROUP, name, _mesh(two, (_OWN, _OTHER), (80, 83)), [_served(80), _served(83)])
    name = "TestGatewayServices (10 calls)"
    one = ((_OWN, 80, 8080),)
    yield Case(_GROUP, name, _mesh(one, (_OWN,), (80, 82)), [_served(80), _closed(82)])
    foreign = _mesh(one, (_OWN,), (80,), namespace="ns-1")
    yield Case(_GROUP, name, foreign, [_closed(80)])
    three = [_served(80), _served(83), _closed(82)]
    yield Case(_GROUP, name, _mesh(two, (_OWN, _OTHER), (80, 83, 82)), three)
    shared = ((_OWN, 80, 8080), (_OTHER, 83, 8080))
    yield Case(_GROUP, name, _mesh(shared, (_OWN, _OTHER), (80, 83)), [_served(80), _at_80(83)])
    # By its selector a Gateway has listeners for ports that no Service knows, too.
    yield Case(_GROUP, name, _mesh(one, (), (80, 82)), [_served(80), _served(82)])


def _served(port: int) -> Call:
    return _call(port, port, ["app", "a"])


def _at_80(host: int) -> Call:
    """Two ports of Services lead to one of the pod, whose listener serves the hosts of both."""
    return _call(80, host, ["app", "a"])


def _closed(port: int) -> Call:
    return _call(port, port, ["notok"])


def _call(port: int, host: int, check: list[Any]) -> Call:
    name = f"{host}.example.com"
    return call(
        f"port {port}, {name}", f"gateway:{port}", check,
        scheme="http", address=name, host=name, port=port,
    )  # fmt: skip


def _mesh(
    services: tuple[tuple[str, int, int], ...],
    names: tuple[str, ...],
    servers: tuple[int, ...],
    namespace: str = "istio-system",
) -> str:
    """Services of the ingress gateway's pods (name, port, targetPort) in ``namespace``, and one
    Gateway bound to ``names``, else by its selector."""
    hosts = ",".join(f"{name}.{namespace}.svc.cluster.local" for name in names)
    bound = f'annotations: {{internal.istio.io/gateway-service: "{hosts}"}}' if names else ""
    rows = "".join(
        f"\n  - {{port: {{number: {port}, name: http-{port}, protocol: HTTP}}, "
        f"hosts: [{port}.example.com]}}"
        for port in servers
    )
    text = "".join(
        f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{istio: ingressgateway}}
  ports: [{{name: http, port: {port}, targetPort: {target}}}]
---
"""
        for name, port, target in services
    )
    return f"""{text}
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gateway, namespace: istio-system, {bound}}}
spec:
  {"" if names else "selector: {istio: ingressgateway}"}
  servers:{rows}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: a, namespace: default}}
spec:
  hosts: ["*.example.com"]
  gateways: [istio-system/gateway]
  http: [{{route: [{{destination: {{host: a, port: {{number: 80}}}}}}]}}]
---
"""
