"""AuthorizationPolicies with the action CUSTOM, and dry runs, on running Envoys.

The external authorization servers are workloads of the mesh; each field of their provider is tried,
and ``explain`` foresees who is asked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.support.meshes import conformance_project, mesh_config, running, with_workloads
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.mesh import STDIN, Answer, Source

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about the mesh's own Envoys"
    ),
]
SERVER = Path(__file__).parent / "support" / "ext_authz_server.py"
WORKLOAD = """
apiVersion: v1
kind: Service
metadata: {{name: authz-{kind}, namespace: conf}}
spec: {{selector: {{app: authz-{kind}}}, ports: [{{name: {kind}, port: {port}}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: authz-{kind}, namespace: conf}}
spec:
  selector: {{matchLabels: {{app: authz-{kind}}}}}
  template:
    metadata: {{labels: {{app: authz-{kind}}}}}
    spec:
      containers: [{{name: authz, image: "authz:1", args: [{kind}], ports: [{{containerPort: {port}}}]}}]
"""  # noqa: E501
PORTS = {"http": 8000, "grpc": 9000}
HTTP = {"service": "authz-http.conf.svc.cluster.local", "port": 8000}
GRPC = {"service": "conf/authz-grpc.conf.svc.cluster.local", "port": 9000}
ALLOW = ("x-ext-authz", "allow")
EVERYTHING: list[dict[str, Any]] = [{}]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMesh]:
    """The mesh of conformance/ with both servers."""
    project = with_workloads(
        conformance_project(),
        tmp_path_factory.mktemp("authz"),
        "---".join(WORKLOAD.format(kind=k, port=p) for k, p in PORTS.items()),
        {"authz:1": ["{python}", "-c", START, str(SERVER), "{ip}", "{port}"]},
    )
    with running(EmbeddedMesh(project, name=f"ext-authz-{os.getpid()}")) as mesh:
        yield mesh


START = "import runpy, sys; _, path, ip, port, kind = sys.argv; sys.argv = [path, kind, ip, port]; runpy.run_path(path, run_name='__main__')"  # noqa: E501
"""The kind is the container's argument, which comes last."""


@pytest.fixture
def conf(shared: EmbeddedMesh) -> Iterator[EmbeddedMesh]:
    yield shared
    shared.reset()


def _policy(rules: list[dict[str, Any]], provider: str = "authz", **metadata: Any) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "security.istio.io/v1",
            "kind": "AuthorizationPolicy",
            "metadata": {"name": "asks", "namespace": "conf", **metadata},
            "spec": {
                "selector": {"matchLabels": {"app": "echo"}},
                "action": "CUSTOM",
                "provider": {"name": provider},
                "rules": rules,
            },
        }
    )


def _guard(
    mesh: EmbeddedMesh,
    kind: str,
    rules: list[dict[str, Any]] = EVERYTHING,
    **fields: Any,
) -> None:
    """Ask the server of ``kind`` about what ``rules`` match, with more fields of its provider."""
    name, server = {
        "http": ("envoyExtAuthzHttp", HTTP),
        "grpc": ("envoyExtAuthzGrpc", GRPC),
    }[kind]
    if kind == "http":
        fields.setdefault("includeRequestHeadersInCheck", ["x-ext-authz", "x-wait"])
    config = mesh_config(extensionProviders=[{"name": "authz", name: {**server, **fields}}])
    mesh.apply([Source(STDIN, config), Source(STDIN, _policy(rules))])


def _ask(
    mesh: EmbeddedMesh, *headers: tuple[str, str], path: str = "/", body: bytes = b""
) -> Answer:
    method = "POST" if body else "GET"
    return mesh.curl("client", f"http://echo{path}", headers=headers, method=method, body=body)


def _seen(answer: Answer) -> dict[str, str]:
    """The headers that the app received."""
    assert answer.status == 200, answer.body
    headers: dict[str, str] = {k.lower(): v for k, v in json.loads(answer.body)["headers"].items()}
    return headers


def _header(answer: Answer, name: str) -> str:
    return next((v for n, v in answer.headers if n.lower() == name), "")


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_the_server_decides_about_what_a_rule_matches(conf: EmbeddedMesh, kind: str) -> None:
    _guard(conf, kind, [{"to": [{"operation": {"paths": ["/admin*"]}}]}])
    refused = _ask(conf, path="/admin/x")
    assert (refused.status, refused.body) == (403, b"denied by ext_authz")
    assert _ask(conf, ALLOW, path="/admin/x").status == 200
    assert _ask(conf, path="/other").status == 200, "no rule matches: nobody is asked"


def test_what_the_server_is_told_and_what_it_adds(conf: EmbeddedMesh) -> None:
    _guard(
        conf,
        "http",
        pathPrefix="/check",
        includeRequestHeadersInCheck=["x-ext-authz", "x-told*"],
        includeAdditionalHeadersInCheck={"x-extra": "of the mesh"},
        includeRequestBodyInCheck={"maxRequestBytes": 64, "allowPartialMessage": True},
        headersToUpstreamOnAllow=["x-check-*"],
        headersToDownstreamOnDeny=["x-result"],
        headersToDownstreamOnAllow=["x-result"],
    )
    sent = ("x-told-this", "a"), ("x-secret", "b")
    answer = _ask(conf, ALLOW, *sent, path="/p?q=1", body=b"hello")
    seen = _seen(answer)
    assert (seen["x-check-path"], seen["x-check-body"]) == ("/check/p?q=1", "hello")
    assert seen["x-check-extra"] == "of the mesh"
    assert "x-told-this" in seen["x-check-headers"]
    assert "x-secret" not in seen["x-check-headers"]
    assert "x-result" not in seen
    assert _header(answer, "x-result") == "allowed"
    refused = _ask(conf, *sent)
    assert (_header(refused, "x-result"), _header(refused, "x-check-path")) == ("denied", "")


def test_a_server_by_grpc_learns_who_calls(conf: EmbeddedMesh) -> None:
    _guard(conf, "grpc", includeRequestBodyInCheck={"maxRequestBytes": 64})
    seen = _seen(_ask(conf, ALLOW, body=b"hello"))
    assert seen["x-check-principal"] == "spiffe://cluster.local/ns/conf/sa/client"
    assert seen["x-check-body"] == "hello"


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_a_server_that_is_too_slow(conf: EmbeddedMesh, kind: str) -> None:
    slow = ("x-wait", "5")
    _guard(conf, kind, timeout="0.1s")
    assert _ask(conf, ALLOW, slow).status == 403
    _guard(conf, kind, timeout="0.1s", statusOnError="503")
    assert _ask(conf, ALLOW, slow).status == 503
    _guard(conf, kind, timeout="0.1s", failOpen=True)
    assert _ask(conf, slow).status == 200


@pytest.mark.parametrize(
    "providers",
    [
        [],
        [{"name": "authz", "envoyExtAuthzHttp": {"service": "nobody.test", "port": 80}}],
        [{"name": "authz", "prometheus": {}}],
    ],
    ids=["unknown", "of an unknown service", "of another kind"],
)
def test_a_provider_that_cannot_be_asked_denies(
    conf: EmbeddedMesh, providers: list[dict[str, Any]]
) -> None:
    rules = [{"to": [{"operation": {"paths": ["/admin*"]}}]}]
    config = mesh_config(extensionProviders=providers)
    conf.apply([Source(STDIN, config), Source(STDIN, _policy(rules))])
    refused = _ask(conf, ALLOW, path="/admin")
    assert (refused.status, refused.body) == (403, b"RBAC: access denied")
    assert _ask(conf, path="/other").status == 200
    for _, outcome in conf.explain("client", "http://echo/admin").outcomes():
        assert outcome.status == 403
        assert "its provider is not one of MeshConfig's" in outcome.why


def test_explain_says_who_is_asked(conf: EmbeddedMesh) -> None:
    _guard(conf, "http", [{"to": [{"operation": {"paths": ["/admin*"]}}]}])
    explanation = conf.explain("client", "http://echo/admin")
    assert "authz-http.conf:8000" in str(explanation.assumptions)
    assert not conf.explain("client", "http://echo/").assumptions


@pytest.mark.parametrize(
    ("action", "decision"), [("DENY", "would deny it"), ("ALLOW", "they would")]
)
def test_a_dry_run_changes_nothing(conf: EmbeddedMesh, action: str, decision: str) -> None:
    policy = yaml.safe_load(_policy([{"to": [{"operation": {"paths": ["/admin*"]}}]}]))
    policy["metadata"]["annotations"] = {"istio.io/dry-run": "true"}
    policy["spec"]["action"] = action
    del policy["spec"]["provider"]
    conf.apply([Source(STDIN, yaml.safe_dump(policy))])
    path = "/admin" if action == "DENY" else "/other"
    assert _ask(conf, path=path).status == 200
    assert decision in str(conf.explain("client", f"http://echo{path}"))
    del policy["metadata"]["annotations"]
    conf.apply([Source(STDIN, yaml.safe_dump(policy))])
    assert _ask(conf, path=path).status == 403
