"""gRPC (HTTP/2) and WebSocket through two real sidecars, as an app with http_proxy speaks them."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import random
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from meshproof.translate.envoy_config import build_outbound, build_sidecar
from meshproof.translate.world import PROXY_PORT, Address, Resource, Service, ServicePort
from tests.translate import builders
from tests.translate.envoy_process import start_envoy
from tests.translate.static_bootstrap import static_bootstrap

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PORTS = (
    ServicePort("grpc", 50051, "grpc", "HTTP", h2=True),
    ServicePort("unnamed", 50052, "grpc", "HTTP", h2=None),
    ServicePort("http", 80, "ws", "HTTP"),
)


def _grpc_app(stack: ExitStack, ip: str) -> Address:
    """Answers /echo/Say with what it got, and the protocol's own trailers."""

    def say(request: bytes, _: grpc.ServicerContext) -> bytes:
        return b"heard " + request

    server = grpc.server(ThreadPoolExecutor(2))
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(say)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("echo", {"Say": method}),)
    )
    port = server.add_insecure_port(f"{ip}:0")
    server.start()
    stack.callback(lambda: server.stop(None).wait())
    return Address(ip, port)


def _websocket_app(stack: ExitStack, ip: str) -> Address:
    """Takes one upgrade after another, and sends back the bytes that follow it."""
    listening = socket.create_server((ip, 0))
    stack.callback(listening.close)

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return  # the test is over
            with connection:
                head = _head(connection)
                key = next(
                    line.partition(b": ")[2]
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"sec-websocket-key")
                )
                accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
                connection.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
                    b"connection: Upgrade\r\nsec-websocket-accept: " + accept + b"\r\n\r\n"
                )
                while data := connection.recv(1024):
                    connection.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    return Address(*listening.getsockname()[:2])


def _head(connection: socket.socket) -> bytes:
    result = b""
    while not result.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, f"closed after {result!r}"
        result += byte
    return result


@pytest.fixture(scope="module")
def proxy(
    envoy: Path, secrets: dict[str, Resource], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a client's sidecar; behind another one are both apps."""
    block = f"127.{64 + os.getpid() % 128}.{random.randrange(256)}"
    with ExitStack() as stack:
        echo = builders.replica("echo", "v1", f"{block}.1")
        ports = tuple(
            replace(echo.ports[0], name=name, port=port, listen=Address(echo.ip, port), app=app)
            for name, port, app in (
                ("grpc", 9001, _grpc_app(stack, f"{block}.2")),
                ("ws", 9002, _websocket_app(stack, f"{block}.2")),
            )
        )
        echo = replace(echo, ports=ports)
        client = replace(builders.replica("client", "v1", f"{block}.3"), ports=())
        cors = (
            "{hosts: [echo], http: [{route: [{destination: {host: echo}}], corsPolicy: "
            "{allowOrigins: [{exact: 'http://a.test'}], allowMethods: [GET, PUT], maxAge: 60s}}]}"
        )
        mesh = builders.world(
            virtual_services=(builders.virtual_service(cors),),
            services=(Service("echo", "default", {"app": "echo"}, PORTS),),
            replicas=(echo, client),
        )
        for replica in (echo, client):
            folder = tmp_path_factory.mktemp("envoy")
            configs = [build_outbound(mesh, builders.proxy(replica)), build_sidecar(mesh, replica)]
            config = static_bootstrap(configs, secrets, admin=str(folder / "admin.sock"))
            start_envoy(stack, envoy, folder, replica, config)
        yield client.ip


@pytest.mark.parametrize("port", [50051, 50052])
def test_grpc_is_carried_where_the_port_says_so_or_says_nothing(proxy: str, port: int) -> None:
    options = [("grpc.http_proxy", f"http://{proxy}:{PROXY_PORT}")]
    with grpc.insecure_channel(f"echo:{port}", options=options) as channel:
        say: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/echo/Say")
        unknown: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/echo/No")
        answer, call = say.with_call(b"hello", timeout=300)
        assert (answer, call.code()) == (b"heard hello", grpc.StatusCode.OK)
        with pytest.raises(grpc.RpcError) as failed:
            unknown(b"", timeout=300)
    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("tunnel", [False, True])
def test_websocket_is_carried(proxy: str, tunnel: bool) -> None:
    target = "/chat" if tunnel else "http://echo/chat"
    with socket.create_connection((proxy, PROXY_PORT), timeout=300) as connection:
        if tunnel:
            connection.sendall(b"CONNECT echo:80 HTTP/1.1\r\nhost: echo:80\r\n\r\n")
            assert b" 200 " in _head(connection)
        connection.sendall(
            f"GET {target} HTTP/1.1\r\nhost: echo\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "\r\n".encode()
        )
        head = _head(connection)
        assert head.startswith(b"HTTP/1.1 101 "), head
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        connection.sendall(b"frames")
        assert connection.recv(1024) == b"frames"


def _preflight(proxy: str, origin: str) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(proxy, PROXY_PORT, timeout=300)
    try:
        headers = {"host": "echo", "origin": origin, "access-control-request-method": "PUT"}
        connection.request("OPTIONS", "http://echo/", headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}
    finally:
        connection.close()


def test_a_matching_preflight_is_answered_by_the_sidecar(proxy: str) -> None:
    status, headers = _preflight(proxy, "http://a.test")
    assert status == 200
    assert headers["access-control-allow-origin"] == "http://a.test"
    assert headers["access-control-allow-methods"] == "GET,PUT"
    assert headers["access-control-max-age"] == "60"
