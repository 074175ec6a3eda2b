"""The stand-in for an app: what it answers over HTTP and over gRPC."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from meshproof import stand_in


@pytest.fixture
def web() -> Iterator[http.client.HTTPConnection]:
    with stand_in.serve_http("127.0.0.1:0") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1])
        yield connection
        connection.close()
        server.shutdown()


def test_it_says_what_it_got_on_one_connection(web: http.client.HTTPConnection) -> None:
    for method, path, status in (
        ("GET", "/a?b=1", 200), ("POST", "/a", 200), ("PUT", "/status/503", 503),
    ):  # fmt: skip
        web.request(method, path, body=b"x" if method != "GET" else None, headers={"X-A": "1"})
        response = web.getresponse()
        body = json.load(response)
        assert response.status == status
        assert (body["method"], body["path"], body["headers"]["x-a"]) == (method, path, "1")
    web.request("HEAD", "/")
    assert web.getresponse().read() == b""


def test_every_call_is_answered_and_its_health_is_serving() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    server = stand_in.serve_grpc(address)
    try:
        with grpc.insecure_channel(address) as typed:
            channel: Any = typed  # its stubs know no method without serializers
            call = channel.unary_unary("/shop.Cart/Add")(b"any", wait_for_ready=True)
            health = channel.unary_unary("/grpc.health.v1.Health/Check")(b"")
            assert (call, health) == (b"", b"\x08\x01")
            assert channel.stream_unary("/shop.Cart/Many")(iter([b"1", b"2"])) == b""
    finally:
        server.stop(None)
