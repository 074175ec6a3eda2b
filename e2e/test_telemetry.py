"""Telemetry resources on running Envoys: metrics and their tags, spans to a provider of the mesh,
logs in a form of one's own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.support.meshes import conformance_project, mesh_config, running, with_workloads
from e2e.support.processes import until
from meshproof.embedded.context import RunPaths
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.mesh import STDIN, Source

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about the mesh's own Envoys"
    ),
]
COLLECTOR = Path(__file__).parent / "support" / "span_collector.py"
MANIFEST = """
apiVersion: v1
kind: Service
metadata: {name: spans, namespace: conf}
spec: {selector: {app: spans}, ports: [{name: http, port: 9411, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: spans, namespace: conf}
spec:
  selector: {matchLabels: {app: spans}}
  template:
    metadata: {labels: {app: spans}}
    spec: {containers: [{name: spans, image: "spans:1", ports: [{containerPort: 8080}]}]}
"""
SPANS = {"service": "spans.conf.svc.cluster.local", "port": 9411}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMesh]:
    """The mesh of conformance/ with a collector of spans."""
    project = with_workloads(
        conformance_project(),
        tmp_path_factory.mktemp("spans"),
        MANIFEST,
        {"spans:1": ["{python}", str(COLLECTOR), "{ip}", "{port}"]},
    )
    with running(EmbeddedMesh(project, name=f"telemetry-{os.getpid()}")) as mesh:
        yield mesh


@pytest.fixture
def conf(shared: EmbeddedMesh) -> Iterator[EmbeddedMesh]:
    yield shared
    shared.reset()


def _telemetry(spec: str) -> Source:
    head = "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\n"
    metadata = "metadata: {name: reports, namespace: conf}\n"
    return Source(STDIN, f"{head}{metadata}spec:\n{spec}")


def _providers(*providers: dict[str, object]) -> Source:
    return Source(STDIN, mesh_config(extensionProviders=list(providers)))


def _lines(mesh: EmbeddedMesh, name: str) -> list[str]:
    """The samples of one metric that the client's sidecar counts."""
    text = mesh.metrics("client")
    return [line for line in text.splitlines() if line.startswith(f"istio_{name}")]


def test_metrics_are_dropped_and_tagged(conf: EmbeddedMesh) -> None:
    conf.apply(
        [
            _telemetry("""
  selector: {matchLabels: {app: client}}
  metrics:
  - overrides:
    - match: {metric: REQUEST_SIZE}
      disabled: true
    - match: {metric: REQUEST_COUNT}
      tagOverrides:
        asks_for: {value: request.host}
        kind: {value: "response.code >= 500 ? 'bad' : 'good'"}
        source_app: {operation: REMOVE}
""")
        ]
    )
    sizes = _lines(conf, "request_bytes_count")
    assert conf.curl("client", "http://echo/").status == 200

    def counts() -> list[str]:
        lines = _lines(conf, "requests_total")
        return [line for line in lines if 'asks_for="echo"' in line and 'kind="good"' in line]

    until(counts, "the request with its own tags")
    assert all("source_app=" not in line for line in counts())
    assert _lines(conf, "request_bytes_count") == sizes


def test_spans_go_to_a_provider_of_the_mesh(conf: EmbeddedMesh) -> None:
    provider: dict[str, object] = {"name": "ours", "zipkin": SPANS}
    spec = (
        "  selector: {matchLabels: {app: client}}\n  tracing: [{providers: [{name: ours}],"
        " customTags: {who: {literal: {value: me}}, code: {formatter: {value:"
        " '%RESPONSE_CODE%'}}}}]\n"
    )
    conf.apply([_providers(provider), _telemetry(spec)])
    assert conf.curl("client", "http://echo/traced").status == 200

    def spans() -> list[dict[str, str]]:
        body = conf.curl("client", "http://spans:9411/").body
        reports = [json.loads(line) for line in body.splitlines() if line]
        tags = [s["tags"] for report in reports for s in report if s["kind"] == "CLIENT"]
        return [t for t in tags if t.get("http.url", "").endswith("/traced")]

    until(spans, "a span of the request")
    assert spans()[0]["who"] == "me"
    assert spans()[0]["code"] == "200"


def test_a_log_in_a_form_of_one_s_own_on_standard_output(conf: EmbeddedMesh) -> None:
    own = {"path": "/dev/stdout", "logFormat": {"text": "mine %REQ(:PATH)% %RESPONSE_CODE%"}}
    spec = (
        "  accessLogging: [{match: {mode: CLIENT}, providers: [{name: mine}],"
        " filter: {expression: \"request.path.startsWith('/logged')\"}}]\n"
    )
    conf.apply([_providers({"name": "mine", "envoyFileAccessLog": own}), _telemetry(spec)])
    for path in ("/other", "/logged"):
        assert conf.curl("client", f"http://echo{path}").status == 200
    (client,) = [r.name for r in conf.status().replicas if r.workload == "client"]
    log = RunPaths(conf.run_dir).envoy_log(client)
    until(lambda: "mine /logged 200" in log.read_text(), "the line of the request")
    assert "mine /other" not in log.read_text()
    paths = {r.path for r in conf.access_log() if r.direction == "outbound"}
    assert "/logged" in paths
    assert "/other" not in paths
