"""What pods exclude from their sidecars: it passes them, and no rule is asked."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from e2e.test_in_pods import CURL, ip_of, mesh_in_pods, run, speak
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.explain.result import APP
from meshproof.mesh import Source

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="brings up pods of this machine"
    ),
]
STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: greeter, namespace: plain}
spec: {selector: {matchLabels: {app: greeter}}, mtls: {mode: STRICT}}
"""
"""As the namespace has it; the greeter alone had not."""
POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: partly, namespace: plain}
spec:
  selector: {matchLabels: {app: partly}}
  template:
    metadata:
      labels: {app: partly}
      annotations:
        traffic.sidecar.istio.io/excludeOutboundPorts: "25"
        traffic.sidecar.istio.io/excludeOutboundIPRanges: 127.250.0.0/30
        traffic.sidecar.istio.io/excludeInboundPorts: "8000,8001"
    spec:
      containers:
        - name: partly
          image: example/partly:1
          command: [python3, /opt/partly/servers.py]
          ports: [{containerPort: 80}, {containerPort: 8000}]
          volumeMounts: [{name: programs, mountPath: /opt/partly}]
      volumes: [{name: programs, configMap: {name: servers}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: servers, namespace: plain}
data:
  servers.py: |
    import http.server
    import threading
    class Seen(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.client_address[0].encode())
    for port in (8000, 8001):
        server = http.server.ThreadingHTTPServer(("0.0.0.0", port), Seen)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    http.server.ThreadingHTTPServer(("0.0.0.0", 80), Seen).serve_forever()
"""


@pytest.fixture(scope="module")
def mesh() -> Iterator[EmbeddedMesh]:
    with mesh_in_pods("capture") as mesh:
        mesh.apply([Source("pod.yaml", POD)])
        yield mesh


def test_an_excluded_port_is_called_past_the_sidecar(mesh: EmbeddedMesh) -> None:
    greeting = "220 ready\r\nyou said hello"
    assert speak(mesh, "partly", "greeter", 25, "hello") == greeting
    (step,) = mesh.explain("partly", "http://greeter:25/").steps
    assert any("from its sidecar: no rule is asked" in note for note in step.notes)
    mesh.apply([Source("strict.yaml", STRICT)])
    assert speak(mesh, "partly", "greeter", 25, "hello") in ("", "reset")
    assert speak(mesh, "caller", "greeter", 25, "hello") == greeting
    assert {o.answered for _, o in mesh.explain("partly", "http://greeter:25/").outcomes()} == {
        False
    }
    assert "server: envoy" in run(mesh, "partly", *CURL, "--include", "http://web/")[1]


@pytest.mark.parametrize("port", [8000, 8001], ids=["declared", "not declared"])
def test_an_excluded_port_is_reached_past_the_sidecar(mesh: EmbeddedMesh, port: int) -> None:
    address = ip_of(mesh, "partly")
    code, caller = run(mesh, "ledger", *CURL, f"http://{address}:{port}/")
    assert (code, caller) == (0, ip_of(mesh, "ledger") if port == 8000 else "127.0.0.6")
    assert run(mesh, "ledger", *CURL, f"http://{address}:80/")[0] != 0, "STRICT"
    (outcome,) = {o for _, o in mesh.explain("ledger", f"http://{address}:{port}/").outcomes()}
    assert (outcome.kind, outcome.workload) == (APP, "partly")


def test_a_caller_with_a_sidecar_sends_tls_to_an_excluded_port(mesh: EmbeddedMesh) -> None:
    """Clients do not know of it, as in Istio: they take every pod with a sidecar for one that
    speaks mutual TLS."""
    service = """
apiVersion: v1
kind: Service
metadata: {name: partly, namespace: plain}
spec: {selector: {app: partly}, ports: [{name: http, port: 8000}]}
"""
    plain = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: partly, namespace: plain}
spec: {host: partly, trafficPolicy: {tls: {mode: DISABLE}}}
"""
    mesh.apply([Source("service.yaml", service)])
    for rule, status in (("", 503), (plain, 200)):
        if rule:
            mesh.apply([Source("plain.yaml", rule)])
        answer = mesh.curl("caller", "http://partly:8000/")
        assert answer.status == status
        ends = {o.answered for _, o in mesh.explain("caller", "http://partly:8000/").outcomes()}
        assert ends == {status == 200}
