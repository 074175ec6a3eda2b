"""Who calls, and what was sent twice: what policies and routes see of a caller."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from e2e.support.meshes import conformance_project, running
from e2e.support.pods import require_no_pods
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.mesh import STDIN, Source

pytestmark = [
    pytest.mark.long,
    pytest.mark.proxy,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about the mesh's own Envoys"
    ),
]


@pytest.fixture(scope="module")
def shared() -> Iterator[EmbeddedMesh]:
    with running(EmbeddedMesh(conformance_project(), name=f"callers-{os.getpid()}")) as mesh:
        yield mesh


@pytest.fixture
def conf(shared: EmbeddedMesh) -> Iterator[EmbeddedMesh]:
    yield shared
    shared.reset()


ONE_ADDRESS = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: one-address, namespace: conf}}
spec:
  selector: {{matchLabels: {{app: echo}}}}
  rules: [{{from: [{{source: {{{field}: ["{address}"]}}}}]}}]
"""


@pytest.mark.parametrize("mode", ["PERMISSIVE", "DISABLE"])
@pytest.mark.parametrize("field", ["ipBlocks", "remoteIpBlocks"])
def test_each_caller_is_seen_by_its_own_address(conf: EmbeddedMesh, field: str, mode: str) -> None:
    """By mutual TLS and in plain text."""
    address = next(r.address for r in conf.status().replicas if r.workload == "client")
    peers = (
        "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n"
        f"metadata: {{name: all, namespace: conf}}\nspec: {{mtls: {{mode: {mode}}}}}\n"
    )
    conf.apply([Source(STDIN, ONE_ADDRESS.format(field=field, address=address))], namespace="")
    conf.apply([Source("peers.yaml", peers)], namespace="")
    statuses = {who: conf.curl(who, "http://echo/").status for who in ("client", "intruder")}
    assert statuses == {"client": 200, "intruder": 403}
    foreseen = {
        who: {outcome.status or 200 for _, outcome in conf.explain(who, "http://echo/").outcomes()}
        for who in statuses
    }
    assert foreseen == {"client": {200}, "intruder": {403}}


TWO_PORTS = """
apiVersion: v1
kind: Service
metadata: {name: two, namespace: conf}
spec:
  selector: {app: echo}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: http-more, port: 81, targetPort: 8080}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: two, namespace: conf}
spec:
  hosts: [two]
  http:
  - {match: [{port: 80}], directResponse: {status: 280}}
  - {match: [{port: 81}], directResponse: {status: 281}}
"""
TUNNEL = """
import http.client, os, sys, urllib.parse
proxy = urllib.parse.urlsplit(os.environ["http_proxy"])
connection = http.client.HTTPConnection(proxy.hostname, proxy.port, timeout=300)
connection.set_tunnel("two", int(sys.argv[1]))
connection.request("GET", "/", headers={"Host": sys.argv[2]})
print(connection.getresponse().status)
"""


@pytest.mark.parametrize("port", [80, 81])
@pytest.mark.parametrize("host", ["two", "two.conf", "two:80", "two:81", "two:9"])
def test_a_tunnel_s_port_decides_and_not_the_host_header(
    conf: EmbeddedMesh, port: int, host: str
) -> None:
    require_no_pods(conf)
    conf.apply([Source(STDIN, TWO_PORTS)], namespace="")
    result = conf.exec("client", [sys.executable, "-c", TUNNEL, str(port), host])
    assert result.stdout.split() == [f"2{port}".encode()], result.stderr


ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo, namespace: conf}
spec:
  hosts: [echo]
  http:
  - match: [%s]
    directResponse: {status: 299}
  - route: [{destination: {host: echo}}]
"""
TWICE = (("x", "a"), ("x", "b"))


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        ("{headers: {x: {exact: a}}}", True),
        ("{headers: {x: {exact: b}}}", True),
        ("{headers: {x: {regex: 'b'}}}", True),
        ("{headers: {x: {exact: 'a,b'}}}", False),
        ("{withoutHeaders: {x: {exact: b}}}", False),
        ("{withoutHeaders: {x: {exact: c}}}", True),
    ],
)
def test_one_of_several_lines_of_a_header_is_enough(
    conf: EmbeddedMesh, match: str, matches: bool
) -> None:
    """As recorded of Istio 1.29.6: two lines ``x: a`` and ``x: b`` match ``exact: b``."""
    conf.apply([Source(STDIN, ROUTE % match)], namespace="")
    assert (conf.curl("client", "http://echo/", headers=TWICE).status == 299) is matches
    result = conf.explain("client", "http://echo/", headers=TWICE)
    assert ({outcome.status for _, outcome in result.outcomes()} == {299}) is matches
