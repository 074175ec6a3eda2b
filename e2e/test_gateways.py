"""Gateways on a mesh of their own: Istio's task "Egress Gateways", a Deployment that is a gateway,
ports, and the TLS that servers terminate."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml

from e2e.support.certificates import Authority, Pair
from e2e.support.outside_server import outside_server
from e2e.support.processes import until
from e2e.support.tiny import TINY
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.mesh import Source
from meshproof.project import load_project
from tests.translate.envoy_process import loopback_prefix

AUTHORITY = Authority()
RULES = Path(__file__).with_name("gateways")
EGRESS = "istio-egressgateway"
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="its outside host is on loopback"
    ),
]


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMesh]:
    folder, authority = tmp_path_factory.mktemp("gates"), AUTHORITY
    ip = f"{loopback_prefix()}.1"
    with outside_server(ip, authority.issue("news.test"), folder) as (plain, secure):
        project = {
            "manifests": [str(TINY / "mesh.yaml")],
            "images": {
                "tiny:1": {"command": ["{python}", f"{TINY}/app.py", "{ip}", "{port}"]},
                "grpc:1": {"command": ["{python}", f"{RULES}/grpc_app.py", "{ip}", "{port}"]},
            },
            "outside": {"news.test": {"ports": {80: f"{ip}:{plain}", 443: f"{ip}:{secure}"}}},
        }
        (folder / "meshproof.yaml").write_text(yaml.safe_dump(project))
        mesh = EmbeddedMesh(load_project(folder / "meshproof.yaml"), name="gates")
        try:
            mesh.up()
            secret = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "istio-egressgateway-ca-certs", "namespace": "istio-system"},
                "stringData": {"root.pem": authority.root},
            }
            mesh.apply([Source("secret.yaml", yaml.safe_dump(secret))])
            yield mesh
        finally:
            mesh.down()


def call(mesh: EmbeddedMesh, url: str) -> dict[str, Any]:
    """What the outside server was asked; ``explain`` must say that it is."""
    (outcome,) = {o for _, o in mesh.explain("web", url).outcomes()}
    assert (outcome.answered, outcome.workload) == (True, "news.test"), outcome
    answer = mesh.curl("web", url)
    assert answer.status == 200, (answer.status, answer.body, answer.refused_by)
    request: dict[str, Any] = json.loads(answer.body)
    return request


def passed_gateway(mesh: EmbeddedMesh, node: str = EGRESS) -> list[str]:
    return [r.upstream_cluster for r in mesh.access_log() if r.sidecar == node]


def wait_passed(mesh: EmbeddedMesh, node: str, before: int) -> None:
    """Return when one more connection to news.test is in a gateway's log. It is logged when it has
    ended there, which is after it ended at its client."""
    until(lambda: len(passed_gateway(mesh, node)) > before, f"it is in the log of {node}")
    assert passed_gateway(mesh, node)[before:] == ["outbound|443||news.test"]


def test_the_task(gated: EmbeddedMesh) -> None:
    """In the task's order: each part replaces the rules of the part before."""
    gated.apply([RULES / "http.yaml"])
    assert call(gated, "http://news.test/politics")["tls"] is False
    assert passed_gateway(gated)[-1] == "outbound|80||news.test"

    gated.apply([RULES / "originate.yaml"])
    request = call(gated, "http://news.test/politics")
    assert (request["tls"], request["path"]) == (True, "/politics")
    assert passed_gateway(gated)[-1] == "outbound|443||news.test"

    gated.delete([RULES / "originate.yaml"])
    assert EGRESS not in {u.name for u in gated.usage()}, "no Gateway asks for it any more"
    gated.apply([RULES / "passthrough.yaml"])
    before = len(passed_gateway(gated))
    assert call(gated, "https://news.test/politics")["tls"] is True
    wait_passed(gated, EGRESS, before)


def address(
    mesh: EmbeddedMesh, port: int, workload: str = "istio-ingressgateway"
) -> tuple[str, int]:
    """Where a gateway's port is, as ``status`` says it."""
    (gateway,) = [g for g in mesh.status().gateways if g.workload == workload]
    host, _, bound = gateway.ports[port].rpartition(":")
    return host, int(bound)


def get(mesh: EmbeddedMesh, port: int, workload: str = "istio-ingressgateway") -> int:
    """The status of a request for shop.test."""
    connection = http.client.HTTPConnection(*address(mesh, port, workload), timeout=300)
    with closing(connection):
        connection.request("GET", "/", headers={"host": "shop.test"})
        return connection.getresponse().status


def get_secure(
    mesh: EmbeddedMesh,
    port: int,
    client: Pair | None,
    folder: Path,
    *,
    name: str = "shop.test",
    workload: str = "istio-ingressgateway",
) -> int:
    """The status over TLS. Raises OSError where there is no connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=AUTHORITY.root)
    if client is not None:
        files = folder / "client.pem", folder / "client.key"
        for file, text in zip(files, (client.chain, client.key), strict=True):
            file.write_text(text)
        context.load_cert_chain(*files)
    connection = http.client.HTTPConnection(name, timeout=300)
    with (
        socket.create_connection(address(mesh, port, workload), timeout=300) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection.sock,
    ):
        connection.request("GET", "/")
        return connection.getresponse().status


def secret(name: str, **texts: str) -> str:
    metadata = {"name": name, "namespace": "istio-system"}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": texts}
    return yaml.safe_dump(body) + "---\n"


SERVERS = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door, namespace: tiny}
spec:
  selector: {istio: ingressgateway}
  servers:
    - {port: {number: 80, name: a, protocol: HTTP}, hosts: [shop.test]}
    - {port: {number: 8080, name: b, protocol: HTTP}, hosts: [shop.test]}
    - {port: {number: 443, name: c, protocol: HTTPS}, hosts: [shop.test], tls: {mode: SIMPLE, credentialName: shop}}
    - {port: {number: 8444, name: d, protocol: HTTPS}, hosts: [shop.test], tls: {mode: MUTUAL, credentialName: shop}}
    - {port: {number: 9443, name: e, protocol: HTTPS}, hosts: [shop.test], tls: {mode: OPTIONAL_MUTUAL, credentialName: shop}}
    - {port: {number: 31400, name: f, protocol: TCP}, hosts: ['*']}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: tiny}
spec:
  hosts: [shop.test]
  gateways: [door]
  http: [{route: [{destination: {host: web}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bytes, namespace: tiny}
spec:
  hosts: ['*']
  gateways: [door]
  tcp: [{match: [{port: 31400}], route: [{destination: {host: web, port: {number: 80}}}]}]
"""  # noqa: E501


def test_every_port_and_mode_of_the_ingress_gateway(gated: EmbeddedMesh, tmp_path: Path) -> None:
    pair, stranger = AUTHORITY.issue("shop.test"), Authority("another").issue("shop.test")
    texts = {"tls.crt": pair.chain, "tls.key": pair.key, "ca.crt": AUTHORITY.root}
    gated.apply([Source("servers.yaml", secret("shop", **texts) + SERVERS)])
    assert [get(gated, port) for port in (80, 8080, 31400)] == [200, 200, 200]
    client = AUTHORITY.issue("client.test")
    assert [get_secure(gated, port, client, tmp_path) for port in (443, 8444, 9443)] == [200] * 3
    assert [get_secure(gated, port, None, tmp_path) for port in (443, 9443)] == [200] * 2
    for port, certificate in ((8444, None), (8444, stranger), (9443, stranger)):
        with pytest.raises(OSError):  # noqa: PT011 - a handshake ends in many ways
            get_secure(gated, port, certificate, tmp_path)
    gated.delete([Source("servers.yaml", SERVERS)])


EDGE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: tiny}
spec:
  selector: {matchLabels: {door: edge}}
  template:
    metadata:
      labels: {door: edge}
      annotations: {inject.istio.io/templates: gateway}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: tiny}
spec: {selector: {door: edge}, ports: [{name: http, port: 8000, targetPort: 80}]}
---
"""
OWN = SERVERS.split("    - {port: {number: 8080", maxsplit=1)[0]
OWN = OWN.replace("istio: ingressgateway", "door: edge")
OWN = OWN.replace("[shop.test]", "['*']")


def test_a_deployment_that_is_a_gateway(gated: EmbeddedMesh) -> None:
    rule = SERVERS.split("---")[1].replace(
        "[shop.test]", "[shop.test, edge.tiny.svc.cluster.local]"
    )
    source = Source("edge.yaml", f"{EDGE}{OWN}---{rule}")
    gated.apply([source])
    assert get(gated, 80, "edge") == 200
    url = "http://edge.tiny.svc.cluster.local:8000/"
    assert gated.curl("web", url).status == 200, "through the gateway, for a caller inside"
    assert {o.answered for _, o in gated.explain("web", url).outcomes()} == {True}
    assert "edge" in {g.workload for g in gated.status().gateways}
    gated.delete([source])
    assert "edge" not in {g.workload for g in gated.status().gateways}


def test_every_route_of_the_gateway_api(gated: EmbeddedMesh, tmp_path: Path) -> None:
    """At the listeners of one Gateway; ``status`` says that each is taken."""
    pair = AUTHORITY.issue("shop.test")
    certificate = secret("shop", **{"tls.crt": pair.chain, "tls.key": pair.key})
    gated.apply([Source("certificate.yaml", certificate), RULES / "api.yaml"])
    assert [get(gated, port, "door-istio") for port in (80, 9000)] == [200, 200]
    assert get_secure(gated, 443, None, tmp_path, workload="door-istio") == 200
    before = len(passed_gateway(gated, "tiny.door-istio"))
    assert get_secure(gated, 443, None, tmp_path, name="news.test", workload="door-istio") == 200
    wait_passed(gated, "tiny.door-istio", before)
    status = gated.status()
    (door,) = status.kubernetes_gateways
    assert [listener.attached_routes for listener in door.listeners] == [1, 1, 1, 1]
    assert all(c.status for route in status.routes for p in route.parents for c in p.conditions)
    gated.delete([RULES / "api.yaml"])


def test_the_egress_task_in_the_gateway_api(gated: EmbeddedMesh) -> None:
    authority = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "authority", "namespace": "tiny"},
        "data": {"ca.crt": AUTHORITY.root},
    }
    rules: list[str | Path | Source] = [
        Source("authority.yaml", yaml.safe_dump(authority)),
        RULES / "api_egress.yaml",
    ]
    gated.apply(rules)
    assert call(gated, "http://news.test/politics")["tls"] is True
    assert passed_gateway(gated, "tiny.way-out-istio")[-1] == "outbound|80||news.test"
    gated.delete(rules)


def test_grpc_methods_at_a_listener(gated: EmbeddedMesh) -> None:
    rules = [RULES / "grpc.yaml"]
    gated.apply(rules)
    host, port = address(gated, 80, "calls-istio")
    options = [("grpc.default_authority", "calls.test")]
    with grpc.insecure_channel(f"{host}:{port}", options) as channel:

        def ask(method: str, **headers: str) -> str:
            send: Any = channel.unary_unary(method)
            return str(send(b"", metadata=tuple(headers.items()), timeout=300), "ascii")

        assert ask("/shop.Cart/Add") == "first /shop.Cart/Add"
        assert ask("/shop.Cart/List") == "second /shop.Cart/List"
        assert ask("/shop.Till/Pay", tier="gold") == "first /shop.Till/Pay"
        assert ask("/shop.Cart/List", tier="gold").startswith("second"), "a service comes first"
        with pytest.raises(grpc.RpcError) as refused:
            ask("/shop.Cartridge/List")
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
    (status,) = gated.status().routes
    assert (status.kind, status.parents[0].conditions[0].status) == ("GRPCRoute", True)
    gated.delete(rules)
