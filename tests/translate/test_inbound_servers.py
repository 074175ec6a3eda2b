"""A Sidecar's ingress, and a Service's port: what they say of the app, and where it listens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.model.reader import read_text
from meshproof.translate.envoy_config import build_sidecar
from meshproof.translate.from_kube import services_of
from meshproof.translate.world import Address, ContainerPort, Replica, World
from tests.translate.builders import ECHO, destination_rule, service, world
from tests.translate.policy_builders import rule

APP = replace(
    ECHO[0],
    ports=tuple(
        ContainerPort(name, port, Address("127.60.0.1", port), Address("127.61.0.1", port + 1000))
        for name, port in (("http", 8080), ("admin", 9090))
    ),
)


def _world(ingress: str, *, pods: bool = False, more: str = "", **parts: Any) -> World:
    sidecar = rule("Sidecar", f"{{ingress: [{ingress}]{more}}}", "side", "default")
    return world(replicas=(APP,), sidecars=(sidecar,), pods=pods, **parts)


def _config(mesh: World, port: int) -> tuple[Any, Any]:
    config: Any = build_sidecar(mesh, APP)
    name = f"inbound|{port}||"
    return config.clusters[name], config.listeners[name]


def _app(cluster: Any) -> str:
    groups = cluster["load_assignment"]["endpoints"]
    (address,) = (e["endpoint"]["address"] for g in groups for e in g["lb_endpoints"])
    return "{address}:{port_value}".format(**address["socket_address"])


def _filters(listener: Any) -> set[str]:
    return {chain["filters"][-1]["name"] for chain in listener["filter_chains"]}


HTTP = "envoy.filters.network.http_connection_manager"
TCP = "envoy.filters.network.tcp_proxy"


@pytest.mark.parametrize(
    ("endpoint", "pods", "app"),
    [
        ("", False, "127.61.0.1:9080"),
        (":9090", False, "127.61.0.1:9080"),
        ("127.0.0.1:9090", False, "127.61.0.1:10090"),
        ("0.0.0.0:9090", False, "127.61.0.1:10090"),
        ("127.0.0.1:7070", False, "127.61.0.1:7070"),
        ("127.0.0.1:7070", True, "127.0.0.1:7070"),
        ("0.0.0.0:7070", True, "127.60.0.1:7070"),
    ],
)
def test_the_app_is_where_default_endpoint_says(endpoint: str, app: str, *, pods: bool) -> None:
    text = f"{{port: {{number: 8080, protocol: HTTP}}, defaultEndpoint: '{endpoint}'}}"
    cluster, _ = _config(_world(text, pods=pods), 8080)
    assert _app(cluster) == app
    source = cluster["upstream_bind_config"]["source_address"]["address"]
    assert source == ("127.0.0.1" if app.startswith("127.0.0.1:") else "127.0.0.6")


def test_the_protocol_is_the_listener_s_and_not_the_service_s() -> None:
    _, listener = _config(_world("{port: {number: 8080, protocol: TCP}}"), 8080)
    assert _filters(listener) == {TCP}
    _, listener = _config(_world("{port: {number: 8080, protocol: GRPC}}"), 8080)
    assert _filters(listener) == {HTTP}
    _, listener = _config(_world("{port: {number: 8080}}"), 8080)
    assert _filters(listener) == {HTTP, TCP}


def test_a_port_that_ingress_leaves_out_passes_on_what_comes() -> None:
    services = (service("echo", ports=(80,), protocol="TCP"),)
    cluster, listener = _config(_world("{port: {number: 9090}}", services=services), 8080)
    assert _filters(listener) == {HTTP, TCP}
    assert _app(cluster) == "127.61.0.1:9080"


def test_metrics_name_the_sidecar_as_the_destination() -> None:
    _, listener = _config(_world("{port: {number: 8080, protocol: HTTP}}"), 8080)
    assert "side.default" in str(listener)
    assert "echo.default.svc.cluster.local" not in str(listener)


def test_the_connection_pool_of_the_port_wins_over_the_sidecar_s_over_the_rule_s() -> None:
    def pool(own: str, whole: str) -> int:
        text = f"{{port: {{number: 8080, protocol: HTTP}}{own}}}"
        rules = (
            destination_rule(
                "{host: echo, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}}"
            ),
        )
        cluster, _ = _config(_world(text, more=whole, destination_rules=rules), 8080)
        (threshold,) = cluster["circuit_breakers"]["thresholds"]
        return int(threshold["max_connections"])

    own = ", connectionPool: {tcp: {maxConnections: 3}}"
    whole = ", inboundConnectionPool: {tcp: {maxConnections: 2}}"
    assert [pool(own, whole), pool("", whole), pool("", "")] == [3, 2, 1]


def test_an_app_behind_a_socket_is_not_guessed() -> None:
    unknown: Replica = replace(
        APP, ports=tuple(replace(p, app=Address(path="/run/app")) for p in APP.ports)
    )
    text = "{port: {number: 8080, protocol: HTTP}, defaultEndpoint: '127.0.0.1:7070'}"
    mesh = replace(_world(text), replicas=(unknown,))
    config: Any = build_sidecar(mesh, unknown)
    assert config.clusters["inbound|8080||"]["load_assignment"]["endpoints"] == []


@pytest.mark.parametrize(
    ("name", "retries"),
    [("grpc", False), ("grpc-web", False), ("http2", True), ("http", True), ("any", True)],
)
def test_streams_of_grpc_are_not_sent_again(name: str, *, retries: bool) -> None:
    """Istio 1.29.6, BuildDefaultHTTPInboundRoute of core/route/route.go."""
    text = f"""
        apiVersion: v1
        kind: Service
        metadata: {{name: echo, namespace: default}}
        spec:
          selector: {{app: echo}}
          ports: [{{name: {name}-x, port: 80, targetPort: 8080}}]
        """
    services = services_of(read_text(text, "echo.yaml"))
    routes: Any = build_sidecar(world(services=services), ECHO[0]).routes
    (route,) = routes["inbound|8080||"]["virtual_hosts"][0]["routes"]
    assert ("retry_policy" in route["route"]) == retries
