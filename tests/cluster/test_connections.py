"""Connections that are held: one process each, used again, made anew where it was lost."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import UnixStreamServer
from typing import Any

import pytest

from meshproof.cluster import pod_request
from meshproof.cluster.commands import Commands
from meshproof.cluster.connections import ApiError, Connections
from meshproof.errors import MeshproofError
from meshproof.wait import until
from tests.fakes.background import FakeProcess


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        exists = self.path != "/missing"
        body = f"{self.path}".encode() if exists else b'{"message": "pods \\"x\\" not found"}'
        self.send_response(200 if exists else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "somewhere"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        pass


class Kubectl:
    """Starts no process, but serves what kubectl would."""

    def __init__(self) -> None:
        self.started: list[list[str]] = []
        self.processes: list[FakeProcess] = []
        self.servers: list[ThreadingHTTPServer | UnixStreamServer] = []
        self.opened: list[subprocess.Popen[bytes]] = []
        self.fails = ""

    def __call__(
        self, argv: Sequence[str], doing: str, *, output: Path | None = None
    ) -> FakeProcess:
        assert output is not None
        self.started.append(list(argv))
        self.processes.append(FakeProcess())
        output.write_text(self.fails)
        if self.fails:
            self.processes[-1].code = 1
        elif "proxy" in argv:
            self._serve(UnixStreamServer(argv[argv.index("--unix-socket") + 1], Handler))
        else:
            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            self._serve(server)
            output.write_text(f"Forwarding from 127.0.0.1:{server.server_port} -> 15000\n")
        return self.processes[-1]

    def open(self, argv: Sequence[str], doing: str) -> subprocess.Popen[bytes]:
        """Runs here what ``kubectl exec`` would run in a pod."""
        self.started.append(list(argv))
        command = argv[argv.index("--") + 1 :]
        self.opened.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return self.opened[-1]

    def _serve(self, server: ThreadingHTTPServer | UnixStreamServer) -> None:
        self.servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def kubectl() -> Iterator[Kubectl]:
    kubectl = Kubectl()
    yield kubectl
    for server in kubectl.servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def connections(kubectl: Kubectl, tmp_path: Path) -> Iterator[Connections]:
    connections = Connections(("--context", "site"), tmp_path / "k", kubectl, kubectl.open)
    yield connections
    connections.close()


def test_one_process_answers_many_questions(kubectl: Kubectl, connections: Connections) -> None:
    for number in range(3):
        assert connections.api(f"/api/{number}") == f"/api/{number}".encode()
        assert connections.admin("ns", "a", "stats") == "/stats"
    assert connections.admin("ns", "b", "stats") == "/stats"
    verbs = [next(v for v in ("proxy", "port-forward") if v in argv) for argv in kubectl.started]
    assert verbs == ["proxy", "port-forward", "port-forward"]
    assert all(argv[1:3] == ["--context", "site"] for argv in kubectl.started)
    connections.close()
    assert all(process.terminated for process in kubectl.processes)


def test_the_proxy_reads_only(kubectl: Kubectl, connections: Connections) -> None:
    connections.api("/")
    assert kubectl.started[0][-2:] == ["--reject-methods", "^(POST|PUT|PATCH|DELETE)$"]


def test_what_the_server_refuses_is_said(connections: Connections) -> None:
    with pytest.raises(ApiError, match='GET /missing: HTTP 404: pods "x" not found'):
        connections.api("/missing")


@pytest.mark.parametrize(
    "text", ["EOF", "http2: client connection lost", "dial tcp 127.0.0.1:42515: connect: refused"]
)
def test_a_server_that_is_lost_is_said_with_what_to_look_at(text: str) -> None:
    """What kubectl's proxy answers by itself; an error of Kubernetes' own is JSON."""
    lost = str(ApiError("/api", 500, text.encode()))
    assert text in lost
    assert "`docker ps` shows whether its nodes run" in lost
    own = str(ApiError("/api", 500, b'{"message": "no route to host"}'))
    assert own == "GET /api: HTTP 500: no route to host"


def test_a_process_that_ended_is_started_again(kubectl: Kubectl, connections: Connections) -> None:
    connections.admin("ns", "a", "stats")
    kubectl.processes[-1].code = 1
    assert connections.admin("ns", "a", "stats") == "/stats"
    assert len(kubectl.started) == 2


def test_a_pod_that_is_gone_is_named(kubectl: Kubectl, connections: Connections) -> None:
    kubectl.fails = 'Error from server (NotFound): pods "a" not found\n'
    with pytest.raises(MeshproofError, match=r'sidecar of ns/a: Error.*pods "a" not found'):
        connections.admin("ns", "a", "stats")


def test_what_was_started_ends_with_whoever_started_it(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "commands.log")
    output = tmp_path / "out"
    process = commands.start(["sh", "-c", "echo ready; exec sleep 60"], "waiting", output=output)
    assert process.poll() is None
    process.terminate()
    assert process.wait(10) == -15
    with pytest.raises(MeshproofError, match="nosuchtool is not on PATH"):
        commands.start(["nosuchtool"], "waiting")


def test_one_session_sends_a_pods_requests_side_by_side(
    kubectl: Kubectl, connections: Connections
) -> None:
    connections.admin("ns", "a", "stats")
    (server,) = kubectl.servers
    assert isinstance(server, ThreadingHTTPServer)
    url = f"http://127.0.0.1:{server.server_port}/"

    def ask(path: str) -> dict[str, Any]:
        request = pod_request.build_request(url + path, "GET", (), b"", 10)
        line = connections.dialogs.ask("ns", "a", "app", pod_request.SCRIPT, request, timeout=20)
        response: dict[str, Any] = json.loads(line)
        return response

    paths = [f"{n}" for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        bodies = [base64.b64decode(r["body"]) for r in pool.map(ask, paths)]
    assert bodies == [f"/{path}".encode() for path in paths]
    assert len(kubectl.opened) == 1
    kubectl.opened[0].kill()
    kubectl.opened[0].wait(10)
    until(lambda: "" if _ended(ask) else "it does not know yet", "waiting for the end", within=10)
    assert ask("again")["status"] == 200
    assert len(kubectl.opened) == 2


def _ended(ask: Callable[[str], object]) -> bool:
    """Whether a session that was killed is seen as ended, or is already another one."""
    try:
        ask("x")
    except MeshproofError:
        return False
    return True
