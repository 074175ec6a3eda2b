"""Resources that the checks are tried on, as YAML."""

from __future__ import annotations

_VIRTUAL_SERVICE = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: one}}
spec: {{hosts: [svcb], http: [{http}]}}
"""


_SUBSET_V1 = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: svcb}}
spec: {{host: {host}, subsets: [{{name: v1, labels: {labels}}}]}}
"""


ENTRY = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: msgd}
spec:
  hosts: [msgd.test]
  ports: [{number: 9997, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.9, labels: {version: v1}}]
"""
GATEWAY = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: other}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
"""
_POLICY = """
---
apiVersion: {api}.istio.io/v1
kind: {kind}
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"""


def virtual_service(route: str) -> str:
    """A VirtualService of svcb with one HTTP route."""
    return _VIRTUAL_SERVICE.format(http=route)


def route_to(destination: str) -> str:
    """A VirtualService of svcb whose one route leads to a destination."""
    return virtual_service(f"{{route: [{{destination: {{{destination}}}}}]}}")


def subset_v1(host: str, labels: str) -> str:
    """A DestinationRule with a subset v1."""
    return _SUBSET_V1.format(host=host, labels=labels)


def policy(kind: str, spec: str, name: str = "p", namespace: str = "default") -> str:
    api = {"Telemetry": "telemetry", "Sidecar": "networking"}.get(kind, "security")
    return _POLICY.format(api=api, kind=kind, name=name, namespace=namespace, spec=spec)
