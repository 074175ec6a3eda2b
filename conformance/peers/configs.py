"""The configuration of ``requests``: resources as YAML, each ended by ``---``."""

from __future__ import annotations

from collections.abc import Iterable


def peer_authentication(mode: str, ports: dict[int, str], app: str, namespace: str) -> str:
    levels = "".join(f"\n    {port}: {{mode: {own}}}" for port, own in ports.items())
    selector = f"\n  selector: {{matchLabels: {{app: {app}}}}}" if app else ""
    return f"""
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: peers, namespace: {namespace}}}
spec:{selector}
  mtls: {{mode: {mode}}}{f"{chr(10)}  portLevelMtls:{levels}" if ports else ""}
---
"""


def forced_mtls(ip: str, ports: Iterable[int], namespace: str) -> str:
    """Mutual TLS to ports that no Service names: an entry whose addresses are those of pods."""
    rows = ", ".join(f"{{number: {port}, name: tcp-{port}, protocol: TCP}}" for port in ports)
    return f"""
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: pods, namespace: {namespace}}}
spec:
  hosts: [pods.by-address.test]
  location: MESH_INTERNAL
  resolution: NONE
  addresses: ["{ip}"]
  ports: [{rows}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: pods, namespace: {namespace}}}
spec: {{host: pods.by-address.test, trafficPolicy: {{tls: {{mode: ISTIO_MUTUAL}}}}}}
---
"""


def mesh_config(normalization: str) -> str:
    """The suite's own, with a normalization."""
    return f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: istio, namespace: istio-system}}
data:
  mesh: |
    pathNormalization: {{normalization: {normalization}}}
    defaultConfig: {{gatewayTopology: {{numTrustedProxies: 1}}}}
"""


def migration(mode: str) -> str:
    policy = f"{{tls: {{mode: {mode}}}}}" if mode else "{}"
    rows = "".join(
        f"\n  - {{name: {v}, labels: {{version: {v}}}"
        + (f", trafficPolicy: {policy}}}" if mode else "}")
        for v in ("vistio", "vlegacy")
    )
    return (
        peer_authentication("STRICT", {}, "", "istio-system")
        + f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: migration, namespace: echo1}}
spec:
  hosts: [migration]
  http:
  - match: [{{uri: {{prefix: /vistio}}}}]
    route: [{{destination: {{host: migration, subset: vistio}}}}]
  - {{route: [{{destination: {{host: migration, subset: vlegacy}}}}]}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: migration, namespace: echo1}}
spec:
  host: migration
  subsets:{rows}
"""
    )


SERVICE_OF_BYTES = """
apiVersion: v1
kind: Service
metadata: {name: foo-bytes, namespace: default}
spec:
  selector: {app: foo}
  ports: [{name: tcp-tls, port: 8080}, {name: tcp-plaintext, port: 9090}]
---
"""


def sidecar(ports: Iterable[int]) -> str:
    """The ported app listens on its pod's address, not on localhost."""
    rows = "".join(
        f"\n  - {{port: {{number: {port}, name: p{port}, protocol: TCP}},"
        f' defaultEndpoint: "0.0.0.0:{port}"}}'
        for port in ports
    )
    return f"""
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: sidecar, namespace: default}}
spec:
  workloadSelector: {{labels: {{app: foo}}}}
  egress: [{{hosts: ["*/*"]}}]
  ingress:{rows}
---
"""


def server(port: int, host: str) -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: at-{port}, namespace: istio-system}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: {port}, name: http, protocol: HTTP}}, hosts: [example.com]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: at-{port}, namespace: default}}
spec:
  hosts: [example.com]
  gateways: [istio-system/at-{port}]
  http: [{{route: [{{destination: {{host: {host}}}}}]}}]
---
"""


def ingress_service(target: int, label: str) -> str:
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: ingress-{target}, namespace: istio-system, labels: {{{label}}}}}
spec:
  selector: {{istio: ingressgateway}}
  ports: [{{name: http, port: 80, targetPort: {target}}}]
---
"""
