"""Apps that know nothing of the mesh, in pods: every connection of theirs is their sidecar's."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.support.meshes import running
from e2e.support.processes import find_pid, processes_of_run, until
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.errors import MeshproofError
from meshproof.host import pod_trial
from meshproof.mesh import Source
from meshproof.project import load_project

PROJECT = Path(__file__).with_name("in_pods") / "meshproof.yaml"
CURL = ["curl", "--noproxy", "*", "--silent", "--show-error", "--max-time", "300"]
CAN_BECOME_ANOTHER = os.geteuid() == 0 and Path("/proc/self/uid_map").read_text().split()[2] != "1"
pytestmark = pytest.mark.skipif(
    os.environ.get("MESH", "embedded") != "embedded",
    reason="brings up pods of this machine; on a cluster: test_interception.py",
)


@contextmanager
def mesh_in_pods(name: str) -> Iterator[EmbeddedMesh]:
    if why := pod_trial.find_problem():
        pytest.skip(f"no pods on this machine: {why}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESHPROOF_PODS", "on")
        mesh = EmbeddedMesh(load_project(PROJECT), name=name)
    with running(mesh):
        yield mesh


@pytest.fixture(scope="module")
def mesh() -> Iterator[EmbeddedMesh]:
    with mesh_in_pods("in-pods") as mesh:
        yield mesh


def run(mesh: EmbeddedMesh, workload: str, *argv: str) -> tuple[int, str]:
    done = mesh.exec(workload, argv)
    return done.code, (done.stdout + done.stderr).decode()


def speak(mesh: EmbeddedMesh, workload: str, host: str, port: int, text: str = "") -> str:
    """What a program reads that uses plain sockets alone."""
    code = (
        "import socket, sys; c = socket.create_connection(sys.argv[1:3], 300); c.settimeout(300)\n"
        "c.sendall(sys.argv[3].encode())\n"
        "try:\n    print(b''.join(iter(lambda: c.recv(999), b'')).decode())\n"
        "except ConnectionError: print('reset')\n"
    )
    python = (sys.executable, "-I", "-S", "-c", code)
    return run(mesh, workload, *python, host, str(port), text)[1].strip()


def ip_of(mesh: EmbeddedMesh, workload: str) -> str:
    return next(r.address for r in mesh.status().replicas if r.workload == workload)


def test_a_program_that_ignores_its_proxy_is_intercepted(mesh: EmbeddedMesh) -> None:
    _, response = run(mesh, "caller", *CURL, "--include", "http://web/greeter.py")
    assert "HTTP/1.1 200" in response
    assert "server: envoy" in response
    _, response = run(mesh, "stranger", *CURL, "--include", "http://web/greeter.py")
    assert "HTTP/1.1 403" in response
    assert "RBAC: access denied" in response


def test_a_connection_that_no_rule_opens_is_closed(mesh: EmbeddedMesh) -> None:
    code, message = run(mesh, "caller", *CURL, "http://10.100.35.27:9997/")
    assert code in (52, 56), message
    assert speak(mesh, "caller", "10.100.35.27", 9997, "hello") in ("", "reset")
    assert mesh.curl("caller", "http://10.100.35.27:9997/").refused_by


def test_a_server_speaks_first(mesh: EmbeddedMesh) -> None:
    assert speak(mesh, "caller", "greeter", 25, "hello") == "220 ready\r\nyou said hello"


TUNNEL = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: greeter, namespace: plain}
spec:
  host: greeter
  subsets:
    - name: bank
      labels: {app: greeter}
      trafficPolicy: {tunnel: {targetHost: bank.test, targetPort: 5432}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: greeter, namespace: plain}
spec:
  hosts: [greeter]
  tcp:
    - match: [{port: 25}]
      route: [{destination: {host: greeter, subset: bank, port: {number: 3128}}}]
"""


def test_a_connection_goes_through_a_forward_proxy(mesh: EmbeddedMesh) -> None:
    mesh.apply([Source("tunnel.yaml", TUNNEL)])
    try:
        answer = speak(mesh, "caller", "greeter", 25, "hello")
        assert answer == "CONNECT bank.test:5432 HTTP/1.1: hello"
    finally:
        mesh.reset()
    assert speak(mesh, "caller", "greeter", 25, "hello") == "220 ready\r\nyou said hello"


def test_an_app_is_not_reached_past_its_sidecar(mesh: EmbeddedMesh) -> None:
    ip = ip_of(mesh, "web")
    for address in (ip, "127.0.0.1"):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, 80), 5)
    request = f"GET /greeter.py HTTP/1.1\r\nHost: {ip}\r\nConnection: close\r\n\r\n"
    assert "200 OK" not in speak(mesh, "stranger", ip, 80, request)


def test_names_are_those_of_kubernetes(mesh: EmbeddedMesh) -> None:
    names = ("web", "web.plain", "web.plain.svc", "WEB.plain.svc.cluster.local")
    addresses = {run(mesh, "caller", "getent", "ahostsv4", name)[1].split()[0] for name in names}
    assert len(addresses) == 1
    assert run(mesh, "caller", "getent", "hosts", "nowhere.example.com")[0] == 2
    assert run(mesh, "caller", "getent", "hosts", "elsewhere")[1].split()[0] == "10.96.0.7"


def test_replicas_listen_on_the_same_port_of_every_address(mesh: EmbeddedMesh) -> None:
    assert len({r.address for r in mesh.status().replicas if r.workload == "web"}) == 2
    for _ in range(8):
        assert run(mesh, "caller", *CURL, "http://web/")[0] == 0


def test_a_pod_without_a_sidecar_is_called_in_plain_text_from_its_caller_s_address(
    mesh: EmbeddedMesh,
) -> None:
    code, response = run(mesh, "caller", *CURL, "http://ledger.old/")
    assert (code, response) == (0, f"{ip_of(mesh, 'caller')} None")
    assert mesh.curl("ledger", "http://ledger.old/").status == 200
    assert {r.sidecar for r in mesh.status().replicas if r.workload == "ledger"} == {False}


def test_a_pod_without_a_sidecar_reaches_services_pods_and_what_is_permissive(
    mesh: EmbeddedMesh,
) -> None:
    ips = {r.address for r in mesh.status().replicas if r.workload == "ledger"}
    own, other = sorted(ips, key=lambda ip: ip != ip_of(mesh, "ledger"))
    for url in ("http://ledger/", f"http://{other}:8080/"):
        assert run(mesh, "ledger", *CURL, url) == (0, f"{own} None")
    assert run(mesh, "ledger", *CURL, "http://ledgers:8080/")[0] == 0
    assert speak(mesh, "ledger", "greeter.plain", 25, "hello") == "220 ready\r\nyou said hello"


def test_a_pod_without_a_sidecar_is_refused_where_mutual_tls_is_a_must(mesh: EmbeddedMesh) -> None:
    code, message = run(mesh, "ledger", *CURL, "http://web.plain/greeter.py")
    assert code in (52, 56), message
    for host in ("10.100.35.27", "nowhere.example.com"):
        assert run(mesh, "ledger", *CURL, f"http://{host}:9997/")[0] != 0
    with pytest.raises(MeshproofError, match="has no sidecar"):
        mesh.fault("kill", "ledger", part="sidecar")


OPEN = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: plain}
spec: {outboundTrafficPolicy: {mode: ALLOW_ANY}}
"""
STRICT_AT_2526 = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: greeter, namespace: plain}
spec:
  selector: {matchLabels: {app: greeter}}
  mtls: {mode: PERMISSIVE}
  portLevelMtls: {2526: {mode: STRICT}}
"""
SERVICE_AT_2526 = """
apiVersion: v1
kind: Service
metadata: {name: later, namespace: plain}
spec:
  selector: {app: greeter}
  ports: [{name: tcp, port: 2526}]
"""


def test_a_port_that_nothing_declares_is_reached_by_address_as_far_as_rules_allow(
    mesh: EmbeddedMesh,
) -> None:
    def greet(caller: str, host: str = ip_of(mesh, "greeter")) -> str:
        # A whole line: until then the inspector waits for the rest of a request, as Istio's does.
        return speak(mesh, caller, host, 2526, "hello, you\n")

    greeting = "220 ready\r\nyou said hello, you"
    assert greet("ledger") == greeting
    assert greet("caller") in ("", "reset")  # REGISTRY_ONLY
    try:
        mesh.apply([Source("open.yaml", OPEN)])
        assert greet("caller") == greeting
        mesh.apply([Source("strict.yaml", STRICT_AT_2526)])
        assert {greet("caller"), greet("ledger")} <= {"", "reset"}
        mesh.apply([Source("later.yaml", SERVICE_AT_2526)])
        assert greet("caller", "later") == greeting  # by a Service, and so by mutual TLS
        assert {greet("caller"), greet("ledger")} <= {"", "reset"}
    finally:
        mesh.reset()
    assert greet("ledger") == greeting


def test_security_contexts_and_host_names_hold_for_exec_too(mesh: EmbeddedMesh) -> None:
    own = f"{os.getuid()} {os.getgid()}"
    users = "65534 65533" if CAN_BECOME_ANOTHER else own
    assert run(mesh, "nobody", "sh", "-c", "echo $(id -u) $(id -g)") == (0, f"{users}\n")
    code, message = run(
        mesh, "nobody", "sh", "-c", "hostname; touch /var/work/a; touch /tmp/meshproof-$$"
    )
    assert code == 1
    assert message.startswith("nowhere\n")
    assert "Read-only file system" in message


@pytest.mark.skipif(not CAN_BECOME_ANOTHER, reason="only root of the machine can become another")
def test_another_local_user_cannot_enter(mesh: EmbeddedMesh) -> None:
    pid = find_pid(mesh.run_id, "http.server")
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for command in (
        ["nsenter", "--net", "--target", str(pid), "true"],
        ["ls", str(mesh.run_dir)],
        ["cat", f"/proc/{pid}/environ"],
    ):
        done = subprocess.run([*other, *command], capture_output=True, check=False)
        assert done.returncode != 0, command
        assert b"ermission denied" in done.stderr, done.stderr


def test_nothing_is_left_when_the_supervisor_is_killed() -> None:
    with mesh_in_pods("in-pods-killed") as mesh:
        engine = mesh.lifecycle.engine
        os.kill(engine.context.supervisor.pid, signal.SIGKILL)
        until(lambda: not processes_of_run(mesh.run_id), "every process has ended")
