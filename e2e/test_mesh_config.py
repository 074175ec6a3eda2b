"""MeshConfig, field by field, on running Envoys: what each changes of a request, and that
``explain`` foresees it."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from conformance.replay import FOLDER
from e2e.support.meshes import conformance_project, mesh_config, running
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.errors import Refused
from meshproof.mesh import STDIN, Answer, Source
from meshproof.project import load_project

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about the mesh's own Envoys"
    ),
]


@pytest.fixture(scope="module")
def shared() -> Iterator[EmbeddedMesh]:
    with running(EmbeddedMesh(conformance_project(), name=f"mesh-config-{os.getpid()}")) as mesh:
        yield mesh


@pytest.fixture
def conf(shared: EmbeddedMesh) -> Iterator[EmbeddedMesh]:
    yield shared
    shared.reset()


def _apply(mesh: EmbeddedMesh, text: str) -> None:
    mesh.apply([Source(STDIN, text)], namespace="")


def _get(mesh: EmbeddedMesh, path: str, **headers: str) -> Answer:
    pairs = tuple((k.replace("_", "-"), v) for k, v in headers.items())
    return mesh.curl("client", f"http://echo{path}", headers=pairs)


def _seen(answer: Answer) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(answer.body)
    return seen


def _foreseen(mesh: EmbeddedMesh, path: str, host: str = "echo") -> set[int | None]:
    outcomes = mesh.explain("client", f"http://{host}{path}").outcomes()
    return {outcome.status for _, outcome in outcomes}


DENY_ADMIN = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: conf}
spec:
  selector: {matchLabels: {app: echo}}
  action: DENY
  rules: [{to: [{operation: {paths: ["/admin/x"]}}]}]
"""


@pytest.mark.parametrize(
    ("normalization", "denied"),
    [
        ("NONE", set()),
        ("BASE", {"/admin/./x"}),
        ("MERGE_SLASHES", {"/admin/./x", "/admin//x"}),
        ("DECODE_AND_MERGE_SLASHES", {"/admin/./x", "/admin//x", "/admin%2Fx"}),
    ],
)
def test_path_normalization(conf: EmbeddedMesh, normalization: str, denied: set[str]) -> None:
    _apply(conf, DENY_ADMIN)
    _apply(conf, mesh_config(pathNormalization={"normalization": normalization}))
    paths = ("/admin/./x", "/admin//x", "/admin%2Fx")
    assert {p for p in paths if _get(conf, p).status == 403} == denied
    assert {p for p in paths if 403 in _foreseen(conf, p)} == denied


def test_outbound_traffic_policy(conf: EmbeddedMesh) -> None:
    def status() -> int:
        return conf.curl("client", "http://outside.test/").status

    assert status() == 502
    _apply(conf, mesh_config(outboundTrafficPolicy={"mode": "ALLOW_ANY"}))
    assert status() == 200
    assert _foreseen(conf, "/", "outside.test") == {None}
    _apply(conf, mesh_config(outboundTrafficPolicy={"mode": "REGISTRY_ONLY"}))
    assert status() == 502


@pytest.mark.parametrize(
    ("attempts", "status"),
    [(0, 503), (1, 503), (2, 200)],
)
def test_default_retries(conf: EmbeddedMesh, attempts: int, status: int) -> None:
    """The service is scaled to one version, so that one replica counts its failures."""
    policy = {"attempts": attempts, "retryOn": "5xx"} if attempts else {"attempts": 0}
    _apply(conf, mesh_config(defaultHttpRetryPolicy=policy))
    answer = conf.curl("client", f"http://other/flaky/mesh{attempts}/2")
    assert answer.status == status


GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: conf}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo, namespace: conf}
spec:
  hosts: ["*"]
  gateways: [gw]
  http: [{route: [{destination: {host: echo.conf.svc.cluster.local}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: one-client, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  rules: [{from: [{source: {remoteIpBlocks: [192.0.2.7]}}]}]
"""


@pytest.mark.parametrize(
    ("proxies", "forwarded", "status"),
    [
        (0, "192.0.2.7", 403),
        (1, "192.0.2.7", 200),
        (1, "192.0.2.7, 192.0.2.8", 403),
        (2, "192.0.2.7, 192.0.2.8", 200),
        (2, "192.0.2.7", 403),
    ],
)
def test_trusted_proxies(conf: EmbeddedMesh, proxies: int, forwarded: str, status: int) -> None:
    _apply(conf, GATEWAY)
    topology = {"numTrustedProxies": proxies}
    _apply(conf, mesh_config(defaultConfig={"gatewayTopology": topology}))
    url = urlsplit(conf.url("gateway"))
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=300)
    connection.request("GET", "/", headers={"Host": "a.test", "x-forwarded-for": forwarded})
    assert connection.getresponse().status == status
    connection.close()
    result = conf.explain("gateway", "http://a.test/", headers=[("x-forwarded-for", forwarded)])
    foreseen = {outcome.status or 200 for _, outcome in result.outcomes()}
    assert foreseen == {status}


def _headers_of_the_app_s_own_call(mesh: EmbeddedMesh) -> dict[str, Any]:
    """``curl`` gives every request an id."""
    code = "import urllib.request as r; print(r.urlopen('http://echo/').read().decode())"
    result = mesh.exec("client", [sys.executable, "-c", code])
    headers: dict[str, Any] = json.loads(result.stdout)["headers"]
    return headers


def test_headers_that_envoys_add(conf: EmbeddedMesh) -> None:
    usual = _get(conf, "/")
    assert "x-request-id" in _headers_of_the_app_s_own_call(conf)
    assert "x-envoy-attempt-count" in _seen(usual)["headers"]
    assert "x-envoy-upstream-service-time" in dict(usual.headers)
    headers = {
        "server": {"disabled": True},
        "requestId": {"disabled": True},
        "attemptCount": {"disabled": True},
        "envoyDebugHeaders": {"disabled": True},
        "xForwardedPort": {"enabled": True},
        "forwardedClientCert": "SANITIZE",
    }
    _apply(conf, mesh_config(defaultConfig={"proxyHeaders": headers}))
    answer = _get(conf, "/")
    seen = set(_seen(answer)["headers"])
    assert "x-forwarded-port" in seen
    assert seen & {"x-envoy-attempt-count", "x-forwarded-client-cert"} == set()
    assert "x-request-id" not in _headers_of_the_app_s_own_call(conf)
    received = {name.lower(): value for name, value in answer.headers}
    assert "x-envoy-upstream-service-time" not in received
    assert received["server"].startswith("BaseHTTP")


def test_client_certificate_details(conf: EmbeddedMesh) -> None:
    details = {"subject": False, "uri": True, "dns": False, "cert": True}
    headers = {"setCurrentClientCertDetails": details}
    _apply(conf, mesh_config(defaultConfig={"proxyHeaders": headers}))
    certificate = _seen(_get(conf, "/"))["headers"]["x-forwarded-client-cert"]
    keys = {part.partition("=")[0] for part in certificate.split(";")}
    assert keys == {"By", "Hash", "Cert", "URI"}


@pytest.mark.parametrize(
    ("fields", "spans"),
    [({"enableTracing": False}, 0), ({"defaultConfig": {"tracing": {"sampling": 0}}}, 0), ({}, 3)],
)
def test_tracing(conf: EmbeddedMesh, fields: dict[str, Any], spans: int) -> None:
    _apply(conf, mesh_config(**fields))
    run = f"run-{len(fields)}-{spans}-{next(iter(fields), 'none')}"
    assert _get(conf, "/", x_run_id=run).status == 200
    conf.access_log(run)
    assert bool(conf.spans(run)) is bool(spans)


def test_what_holds_for_the_mesh_may_stand_in_the_project(tmp_path: Path) -> None:
    """And the ConfigMap wins over it."""
    project = tmp_path / "meshproof.yaml"
    text = (FOLDER / "meshproof.yaml").read_text().replace("{here}", str(FOLDER))
    text = text.replace("[recorded/", f"[{FOLDER}/recorded/")
    project.write_text(f"{text}\nmeshConfig: {{outboundTrafficPolicy: {{mode: ALLOW_ANY}}}}\n")
    with running(EmbeddedMesh(load_project(project), name=f"mesh-config-p-{os.getpid()}")) as mesh:
        assert mesh.curl("client", "http://outside.test/").status == 200
        _apply(mesh, mesh_config(outboundTrafficPolicy={"mode": "REGISTRY_ONLY"}))
        assert mesh.curl("client", "http://outside.test/").status == 502


PRINCIPAL = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: one-caller, namespace: conf}}
spec:
  selector: {{matchLabels: {{app: echo}}}}
  rules: [{{from: [{{source: {{principals: ["{domain}/ns/conf/sa/client"]}}}}]}}]
"""


@pytest.mark.parametrize(
    ("domain", "status"),
    [("td.test", 200), ("cluster.local", 200), ("old.test", 200), ("else.test", 403)],
)
def test_trust_domain(conf: EmbeddedMesh, domain: str, status: int) -> None:
    """``cluster.local`` and an alias mean the mesh's own domain too."""
    _apply(conf, mesh_config(trustDomain="td.test", trustDomainAliases=["old.test"]))
    certificate = _seen(_get(conf, "/"))["headers"]["x-forwarded-client-cert"]
    assert "URI=spiffe://td.test/ns/conf/sa/client" in certificate
    _apply(conf, PRINCIPAL.format(domain=domain))
    assert _get(conf, "/").status == status
    assert _foreseen(conf, "/") == {403 if status == 403 else None}
    _apply(conf, "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n"
        "metadata: {name: all, namespace: conf}\nspec: {mtls: {mode: STRICT}}\n")  # fmt: skip
    assert _get(conf, "/").status == status


def test_root_namespace(conf: EmbeddedMesh) -> None:
    """Its policies hold for the whole mesh, and those of ``istio-system`` no longer do."""
    deny = (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        "metadata: {name: nothing, namespace: %s}\nspec: {}\n"
    )
    _apply(conf, deny % "mesh-root")
    assert _get(conf, "/").status == 200
    _apply(conf, mesh_config(rootNamespace="mesh-root"))
    assert _get(conf, "/").status == 403
    assert _foreseen(conf, "/") == {403}
    conf.delete([Source(STDIN, deny % "mesh-root")], namespace="")
    _apply(conf, deny % "istio-system")
    assert _get(conf, "/").status == 200


def test_what_is_not_honoured_is_refused(conf: EmbeddedMesh) -> None:
    with pytest.raises(Refused, match=r"data\.mesh\.enableAutoMtls"):
        _apply(conf, mesh_config(enableAutoMtls=False))
