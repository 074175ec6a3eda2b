"""What docs/security.md says is **not** protected without pods; a test fails when that changes.

In pods it is: ``test_in_pods.py``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
import requests

from e2e.support.meshes import running
from e2e.support.pods import require_no_pods
from e2e.support.tiny import build_mesh
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.host import sockets
from meshproof.mesh import STDIN, Mesh, Source

STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: tiny}
spec: {mtls: {mode: STRICT}}
"""
DIRECT = """
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(sys.argv[1], timeout=300).status)
"""
pytestmark = [
    pytest.mark.proxy,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded",
        reason="about this machine",
    ),
]


@pytest.fixture(scope="module")
def tiny() -> Iterator[EmbeddedMesh]:
    with running(build_mesh(f"limits-{os.getpid()}")) as mesh:
        yield mesh


def plain(url: str) -> int:
    """The status of a plain request from outside the mesh; 0 where the connection was refused."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=300).status_code
        except requests.ConnectionError:
            return 0


def test_a_program_that_ignores_its_proxy_is_not_intercepted(mesh: Mesh) -> None:
    require_no_pods(mesh)
    outside = f"{mesh.url('msgd.test')}/healthz"
    assert mesh.curl("svca", "http://10.100.35.27:9997/healthz").status == 502, "it is closed"
    done = mesh.exec("svca", [sys.executable, "-c", DIRECT, outside])
    assert done.stdout == b"200\n", "and open to who goes round"


def test_an_app_on_a_tcp_port_is_reached_past_its_sidecar(tiny: EmbeddedMesh) -> None:
    tiny.apply([Source(STDIN, STRICT)])
    assert plain(tiny.url("web")) == 0, "its sidecar takes its own kind alone"
    require_no_pods(tiny)
    addresses = app_addresses(tiny)
    doors = [one for one in sockets.find_listeners() if one.ip in addresses]
    assert [plain(f"http://{door}/") for door in doors] == [200] * len(addresses)


def test_whoever_is_on_the_machine_may_send_as_a_workload(mesh: Mesh) -> None:
    """A sidecar's proxy port does not authenticate, as in a pod: here the machine is the pod."""
    require_no_pods(mesh)
    caller = next(r for r in mesh.status().replicas if r.workload == "svca")
    with requests.Session() as session:
        session.trust_env = False
        proxies = {"http": f"http://{caller.address}:15001"}
        answer = session.get("http://svcb/healthz", proxies=proxies, timeout=300)
    assert answer.status_code == 200


def app_addresses(mesh: EmbeddedMesh) -> list[str]:
    """The addresses on which the apps themselves listen, in the same block as their sidecars'."""
    return sorted({r.app_ip for r in mesh.lifecycle.engine.fleet.runners})


def test_an_app_on_a_unix_socket_is_not(mesh: Mesh) -> None:
    """How to close it: ``{socket}`` in the image table, as the payment suite does."""
    addresses = app_addresses(mesh)  # type: ignore[arg-type]  # the session's is embedded here
    assert [one for one in sockets.find_listeners() if one.ip in addresses] == []
