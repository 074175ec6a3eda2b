"""Requests of assertions: at a gateway over kept connections, from workloads by the mesh's curl."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from meshproof.errors import MeshproofError, UsageError
from meshproof.mesh import Answer, GatewayStatus, Mesh, MeshStatus
from meshproof.traffic.calls import SENDERS, Call, send


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        gateway = cast(Gateway, self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        gateway.seen.append((self.client_address[1], self.path, dict(self.headers), body))
        if self.path == "/close":
            self.close_connection = True
            return
        self.send_response(201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST  # noqa: N815 (http.server's word)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Gateway(ThreadingHTTPServer):
    seen: list[tuple[int, str, dict[str, str], bytes]]


class FakeMesh:
    def __init__(self, gateway: Gateway) -> None:
        self.address = f"http://127.0.0.1:{gateway.server_port}"
        self.curled: list[tuple[str, str, dict[str, Any]]] = []
        self.gateways: tuple[GatewayStatus, ...] = ()

    def status(self) -> MeshStatus:
        return MeshStatus("fake", "embedded", (), (), "1", gateways=self.gateways)

    def url(self, target: str) -> str:
        assert target == "gateway"
        return self.address

    def curl(self, workload: str, url: str, **how: Any) -> Answer:
        self.curled.append((workload, url, how))
        if workload == "nobody":
            raise UsageError("no workload nobody")
        if "closed" in url:
            raise MeshproofError("closed")
        return Answer(200, (), b"", 0.1)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(("127.0.0.1", 0), Handler) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def mesh(gateway: Gateway) -> FakeMesh:
    return FakeMesh(gateway)


def sent(mesh: FakeMesh, call: Call, n: int = 20) -> list[Answer]:
    return send(cast(Mesh, mesh), call, n, "run-1")


def test_at_the_gateway_a_path_and_kept_connections(mesh: FakeMesh, gateway: Gateway) -> None:
    answers = sent(mesh, Call("gateway", "/pay?x=1", headers={"a": "b"}))
    assert {(a.status, a.body) for a in answers} == {(201, b"ok")}
    assert len(gateway.seen) == len(answers) == 20
    assert len({port for port, *_ in gateway.seen}) <= SENDERS
    for _, path, headers, _ in gateway.seen:
        assert (path, headers["a"], headers["x-run-id"]) == ("/pay?x=1", "b", "run-1")


def test_at_the_gateway_the_host_of_a_whole_url(mesh: FakeMesh, gateway: Gateway) -> None:
    sent(mesh, Call("gateway", "http://shop.test:81", "POST", body=b"hello"), 1)
    ((_, path, headers, body),) = gateway.seen
    assert (path, headers["Host"], body) == ("/", "shop.test:81", b"hello")


def test_no_answer_is_status_0_and_is_not_sent_again(mesh: FakeMesh, gateway: Gateway) -> None:
    answers = sent(mesh, Call("gateway", "/close"), 8)
    assert [a.status for a in answers] == [0] * 8
    assert all(a.body for a in answers)
    assert len(gateway.seen) == 8


def test_from_a_workload_by_curl(mesh: FakeMesh) -> None:
    answers = sent(mesh, Call("svca", "http://svcb/x", "POST", {"a": "b"}, b"c", 5.0), 3)
    assert [a.status for a in answers] == [200] * 3
    workload, url, how = mesh.curled[0]
    assert (workload, url) == ("svca", "http://svcb/x")
    assert how == {
        "method": "POST", "headers": [("a", "b"), ("x-run-id", "run-1")], "body": b"c",
        "timeout": 5.0,
    }  # fmt: skip
    assert [(a.status, a.body) for a in sent(mesh, Call("svca", "http://closed/"), 1)] == [
        (0, b"closed")
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (Call("svca", "/path"), "a path alone is for"),
        (Call("nobody", "http://svcb/"), "no workload nobody"),
    ],
)
def test_words_that_make_no_sense_are_no_evidence(mesh: FakeMesh, call: Call, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        sent(mesh, call)


def test_each_port_of_each_gateway_is_called_where_it_is(gateway: Gateway, mesh: FakeMesh) -> None:
    here, closed = f"127.0.0.1:{gateway.server_port}", "127.0.0.1:1"
    mesh.gateways = (
        GatewayStatus("istio-system", "istio-ingressgateway", True, {80: closed, 8080: here}),
        GatewayStatus("shop", "own", True, {80: here}),
    )
    for sender, url in (
        ("gateway", "http://a:8080/"),
        ("shop/own", "http://a/"),
        ("own", "http://a/"),
    ):
        assert [a.status for a in sent(mesh, Call(sender, url), 1)] == [201]
    assert [a.status for a in sent(mesh, Call("gateway", "http://a/"), 1)] == [0]
    assert [a.status for a in sent(mesh, Call("gateway", "http://a:99/"), 1)] == [201]  # its first
    with pytest.raises(UsageError, match="the gateway own has no port 443; there is 80"):
        sent(mesh, Call("own", "https://a/"), 1)
