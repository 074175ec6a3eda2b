"""Two real sidecars with static configuration: what their routes do, CONNECT included."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.telemetry import packed_labels
from meshproof.translate.envoy_config import build_outbound, build_sidecar
from meshproof.translate.world import PROXY_PORT, Resource
from tests.translate import builders
from tests.translate.envoy_process import get, loopback_prefix, serve_echo, start_envoy
from tests.translate.static_bootstrap import static_bootstrap

RULE = (
    "{hosts: [echo], http: ["
    "{match: [{uri: {prefix: /undeclared}}], route: [{destination: {host: echo, subset: v9}}]},"
    "{match: [{uri: {prefix: /empty}}], route: [{destination: {host: echo, subset: v3}}]},"
    "{match: [{uri: {prefix: /abort}}],"
    " fault: {abort: {httpStatus: 555, percentage: {value: 100}}},"
    " route: [{destination: {host: echo}}]},"
    "{match: [{uri: {prefix: /cors}}], route: [{destination: {host: echo}}],"
    " corsPolicy: {allowOrigins: [{exact: 'http://web.test'}], allowMethods: [PUT]}},"
    "{match: [{uri: {prefix: /moved}}], redirect: {port: 8443}},"
    "{match: [{uri: {prefix: /only}}], route: [{destination: {host: echo, subset: v1}}]}]}"
)


@pytest.fixture(scope="module")
def sidecars(
    envoy: Path, secrets: dict[str, Resource], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Path]]:
    """Addresses and admin sockets of echo's and a client's sidecar, the client's last; they are
    in a block of loopback of this run alone."""
    own = loopback_prefix()
    with ExitStack() as stack:
        echo = builders.replica("echo", "v1", f"{own}.1", backend=serve_echo(stack, f"{own}.2"))
        client = builders.replica("client", "v1", f"{own}.3")
        real = serve_echo(stack, f"{own}.4")
        mesh = builders.world(
            replicas=(echo, replace(client, ports=())),
            outside=(builders.outside("m.test", {9997: real, 443: real}),),
            destination_rules=(builders.destination_rule(),),
            virtual_services=(builders.virtual_service(RULE),),
            service_entries=(
                builders.service_entry(
                    "{hosts: [m.test, unknown.test], addresses: [10.9.9.9], resolution: DNS,"
                    "ports: [{number: 9997, name: http, protocol: HTTP},"
                    "{number: 443, name: tls, protocol: TLS}]}"
                ),
            ),
        )
        admin: dict[str, Path] = {}
        for replica in (echo, replace(client, ports=())):
            folder = tmp_path_factory.mktemp("envoy")
            configs = [build_outbound(mesh, builders.proxy(replica)), build_sidecar(mesh, replica)]
            config = static_bootstrap(configs, secrets, admin=str(folder / "admin.sock"))
            start_envoy(stack, envoy, folder, replica, config)
            admin[replica.ip] = folder / "admin.sock"
        yield admin


@pytest.fixture(scope="module")
def proxy(sidecars: dict[str, Path]) -> str:
    """The address of the client's sidecar."""
    return list(sidecars)[-1]


@pytest.mark.parametrize(
    ("url", "status", "body"),
    [
        ("http://echo/undeclared", 503, b""),
        ("http://echo/empty", 503, b"no healthy upstream"),
        ("http://echo/abort", 555, b"fault filter abort"),
        ("http://echo/unmatched", 404, b""),
        ("http://other/", 503, b"no healthy upstream"),
        ("http://unknown.test:9997/", 503, b"no healthy upstream"),
        ("http://nowhere.test/", 502, b""),
        ("http://echo:8080/only", 502, b""),
        ("http://m.test/", 502, b""),
        ("http://m.test:443/", 502, b""),
    ],
)
def test_what_the_mesh_answers_itself(proxy: str, url: str, status: int, body: bytes) -> None:
    host = url.split("/")[2]
    assert get(proxy, PROXY_PORT, url, host)[:2] == (status, body)


@pytest.mark.parametrize("host", ["echo", "echo:80", "echo.default", "echo.default.svc", "ECHO"])
def test_a_service_answers_through_both_sidecars(proxy: str, host: str) -> None:
    status, body, _ = get(proxy, PROXY_PORT, f"http://{host}/only", host)
    received = json.loads(body)
    assert status == 200
    assert received["x-envoy-attempt-count"] == "1"
    assert "URI=spiffe://cluster.local/ns/default/sa/echo" in received["x-forwarded-client-cert"]
    assert received["x-b3-sampled"] == "1"
    assert received["traceparent"].split("-")[1] == received["x-b3-traceid"]
    assert "x-envoy-peer-metadata" not in received


def test_a_preflight_is_answered_where_a_rule_says_so(proxy: str) -> None:
    connection = http.client.HTTPConnection(proxy, PROXY_PORT, timeout=300)
    try:
        preflight = {"Origin": "http://web.test", "Access-Control-Request-Method": "PUT"}
        connection.request("OPTIONS", "http://echo/cors", headers={"Host": "echo", **preflight})
        response = connection.getresponse()
        assert response.status == 200
        assert response.headers["access-control-allow-origin"] == "http://web.test"
        assert response.headers["access-control-allow-methods"] == "PUT"
    finally:
        connection.close()


@pytest.mark.parametrize("host", ["m.test:9997", "10.9.9.9:9997"])
def test_an_open_outside_host_answers(proxy: str, host: str) -> None:
    status, body, _ = get(proxy, PROXY_PORT, f"http://{host}/", host)
    assert (status, json.loads(body)["host"]) == (200, host)


def test_redirect(proxy: str) -> None:
    status, _, location = get(proxy, PROXY_PORT, "http://echo/moved", "echo")
    assert (status, location) == (301, "http://echo:8443/moved")


def test_an_address_is_no_way_around_the_rules(proxy: str) -> None:
    """The real address of the outside server answers to nobody behind a sidecar."""
    real = proxy.rsplit(".", 1)[0] + ".4"
    for url in (f"http://{real}:9997/", f"http://{real}/"):
        assert get(proxy, PROXY_PORT, url, url.split("/")[2])[0] == 502


def _tunnel(proxy: str, to: tuple[str, int], path: str, host: str) -> tuple[int, bytes]:
    """One GET inside a CONNECT; OSError when the tunnel is refused."""
    connection = http.client.HTTPConnection(proxy, PROXY_PORT, timeout=300)
    try:
        connection.set_tunnel(*to)
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [("/only", "echo", 200), ("/undeclared", "echo", 503), ("/", "nowhere.test", 502)],
)
def test_the_same_rules_hold_inside_connect(proxy: str, path: str, host: str, status: int) -> None:
    assert _tunnel(proxy, ("echo", 80), path, host)[0] == status


def test_connect_to_an_opaque_port_is_a_plain_tunnel(proxy: str) -> None:
    status, body = _tunnel(proxy, ("m.test", 443), "/", "any.test")
    assert (status, json.loads(body)["host"]) == (200, "any.test")
    assert "x-request-id" not in json.loads(body)


@pytest.mark.parametrize("to", [("nowhere.test", 443), ("m.test", 80), ("echo", 8080)])
def test_connect_to_what_no_rule_opens_is_refused(proxy: str, to: tuple[str, int]) -> None:
    with pytest.raises(OSError, match="502"):
        _tunnel(proxy, to, "/", to[0])


def test_connect_to_a_real_address_is_refused(proxy: str) -> None:
    with pytest.raises(OSError, match="502"):
        _tunnel(proxy, (proxy.rsplit(".", 1)[0] + ".4", 9997), "/", "m.test:9997")


def _statistics(admin: Path) -> str:
    """The Prometheus page of an Envoy, over its Unix socket."""
    connection = http.client.HTTPConnection("envoy")
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.connect(str(admin))
        connection.request("GET", "/stats/prometheus")
        return packed_labels.unpack(connection.getresponse().read().decode())
    finally:
        connection.close()


def test_metrics_of_both_sides_have_istio_s_names_and_labels(sidecars: dict[str, Path]) -> None:
    client = list(sidecars)[-1]
    assert get(client, PROXY_PORT, "http://echo/only", "echo")[0] == 200
    expected = {
        "source": ('source_workload="client-v1"', 'connection_security_policy="unknown"'),
        "destination": (
            'source_principal="spiffe://cluster.local/ns/default/sa/echo"',
            'source_workload="client-v1"',
            'source_workload_namespace="default"',
            'source_version="v1"',
            'connection_security_policy="mutual_tls"',
        ),
    }
    common = (
        'destination_workload="echo-v1"',
        'destination_version="v1"',
        'destination_service="echo.default.svc.cluster.local"',
        'response_code="200"',
    )
    for (reporter, own), admin in zip(expected.items(), reversed(sidecars.values()), strict=True):
        page = _statistics(admin).splitlines()
        lines = [x for x in page if x.startswith("istio_requests_total{")]
        parts = (f'reporter="{reporter}"', *own, *common)
        assert [x for x in lines if all(part in x for part in parts)], lines
        assert any(x.startswith("istio_request_duration_milliseconds_bucket") for x in page)


def test_a_tunnel_to_a_port_of_bytes_is_counted_once_and_one_to_http_as_requests(
    sidecars: dict[str, Path],
) -> None:
    client, admin = list(sidecars.items())[-1]
    name = "istio_tcp_connections_closed_total{"

    def counters() -> list[str]:
        return [x for x in _statistics(admin).splitlines() if x.startswith(name)]

    before = counters()
    assert _tunnel(client, ("echo", 80), "/only", "echo")[0] == 200
    assert counters() == before
    assert _tunnel(client, ("m.test", 443), "/", "any.test")[0] == 200
    deadline = time.monotonic() + 300
    while counters() == before and time.monotonic() < deadline:
        time.sleep(0.02)  # the tunnel is counted when it has ended
    (line,) = [x for x in counters() if 'destination_service="m.test"' in x]
    assert 'source_workload="client-v1"' in line
    assert 'request_protocol="tcp"' in line
