"""What Istio 1.29 decides beside the rules themselves: names, protocols, connections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.translate.bootstrap import build_bootstrap
from meshproof.translate.envoy_config import build_outbound, build_sidecar, proxy_of
from meshproof.translate.world import Address, Named, World
from tests.translate.builders import (
    CLIENT,
    ECHO,
    GATEWAY,
    destination_rule,
    outside,
    service,
    service_entry,
    vhosts,
    virtual_service,
    world,
)
from tests.translate.policy_builders import rule

ECHO_HOST = "echo.default.svc.cluster.local"
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def _domains(mesh: World, host: str) -> list[str]:
    result: list[str] = vhosts(mesh)[host]["domains"]
    return result


def test_names_are_absolute_with_a_dot_at_the_end_if_a_service_has_them() -> None:
    """W7, W8: GenerateAltVirtualHosts in core/httproute.go."""
    entry = service_entry(
        "{hosts: ['*.a.test', b.test, 192.0.2.1], resolution: NONE,"
        " ports: [{number: 80, name: http, protocol: HTTP}]}"
    )
    mesh = world(
        service_entries=(entry,),
        virtual_services=(virtual_service("{hosts: [ghost.test], http: [{route: [" + TO_ECHO),),
    )
    assert "*.a.test." in _domains(mesh, "*.a.test:80")
    assert "b.test." in _domains(mesh, "b.test:80")
    assert "192.0.2.1." not in _domains(mesh, "192.0.2.1:80")
    assert "ghost.test." not in _domains(mesh, "ghost.test:80")


TO_ECHO = "{destination: {host: echo}}]}]}"


def test_any_name_below_a_headless_service_is_the_service_s() -> None:
    headless = replace(service("echo"), headless=True)
    domains = _domains(world(services=(headless,)), f"{ECHO_HOST}:80")
    assert {"*.echo", "*.echo:80", f"*.{ECHO_HOST}", f"*.{ECHO_HOST}.:80"} <= set(domains)
    assert not any("*" in d for d in _domains(world(), f"{ECHO_HOST}:80"))


def test_below_a_headless_service_whose_pods_have_names_no_other_is_known() -> None:
    headless = replace(service("echo"), headless=True)
    pod = replace(headless, name="echo-0.echo")
    domains = _domains(world(services=(headless, pod)), f"{ECHO_HOST}:80")
    assert not any("*" in domain for domain in domains)


@pytest.mark.parametrize(
    ("imports", "known"),
    [
        ("['*/ghost.test']", False),
        ("['*/ghost.test', './echo.default.svc.cluster.local']", True),
        ("['*/ghost.test', 'istio-system/*']", True),
        ("['*/*']", True),
    ],
)
def test_a_host_without_a_service_needs_one_that_listens_on_port_80(
    imports: str, known: bool
) -> None:
    """F15: without a service on the port, a sidecar has no listener and no routes for it."""
    ghost = virtual_service("{hosts: [ghost.test], http: [{route: [" + TO_ECHO)
    mesh = world(
        virtual_services=(ghost,),
        sidecars=(rule("Sidecar", f"{{egress: [{{hosts: {imports}}}]}}"),),
    )
    assert ("ghost.test:80" in vhosts(mesh)) is known


def _cluster(spec: str, policy: str, proxy: Any = CLIENT) -> dict[str, Any]:
    entry = service_entry(
        f"{{hosts: [m.test], resolution: DNS, ports: [{{number: 80, name: a, protocol: {spec}}}]}}"
    )
    mesh = world(
        service_entries=(entry,),
        outside=(outside("m.test", {80: Address("127.60.9.1", 1)}),),
        destination_rules=(destination_rule(f"{{host: m.test, trafficPolicy: {policy}}}"),),
    )
    clusters: Any = build_outbound(mesh, proxy).clusters
    result: dict[str, Any] = clusters["outbound|80||m.test"]
    return result


@pytest.mark.parametrize(
    ("protocol", "policy", "alpn"),
    [
        ("HTTP", "", "http/1.1"),
        ("HTTP2", "", "h2"),
        ("GRPC", "", "h2"),
        ("HTTP", "connectionPool: {http: {h2UpgradePolicy: UPGRADE}},", "h2"),
        ("HTTP2", "connectionPool: {http: {useClientProtocol: true}},", "http/1.1"),
    ],
)
def test_tls_offers_the_protocol_that_is_spoken(protocol: str, policy: str, alpn: str) -> None:
    """F3: constructUpstreamTLS in core/cluster_tls.go."""
    socket = _cluster(protocol, f"{{{policy} tls: {{mode: SIMPLE}}}}")["transport_socket"]
    assert socket["typed_config"]["common_tls_context"]["alpn_protocols"] == [alpn]


def test_a_gateway_speaks_http_1_to_a_port_without_a_protocol() -> None:
    """F8: setUpstreamProtocol in core/cluster_builder.go."""
    plain = service("echo")
    sniffed = replace(plain, ports=(replace(plain.ports[0], h2=None),))
    gateway, sidecar = (_protocol_of_echo(sniffed, proxy) for proxy in (GATEWAY, CLIENT))
    assert gateway == {"explicit_http_config": {"http_protocol_options": {}}}
    assert "use_downstream_protocol_config" in sidecar


def _protocol_of_echo(echo: Any, proxy: Any) -> dict[str, Any]:
    clusters: Any = build_outbound(world(services=(echo,)), proxy).clusters
    options = clusters[f"outbound|80||{ECHO_HOST}"]["typed_extension_protocol_options"][_OPTIONS]
    return {k: v for k, v in options.items() if k.endswith("_config")}


def test_a_sidecar_s_app_is_spoken_to_in_the_client_s_protocol_too() -> None:
    """F4: a connection pool applies inbound, except for its h2UpgradePolicy."""
    pools = ("{useClientProtocol: true}", "{h2UpgradePolicy: UPGRADE}")
    client, upgraded = (_inbound_protocol(f"{{http: {pool}}}") for pool in pools)
    assert "use_downstream_protocol_config" in client
    assert upgraded == {"explicit_http_config": {"http_protocol_options": {}}}


def _inbound_protocol(pool: str) -> dict[str, Any]:
    policy = f"{{host: echo, trafficPolicy: {{connectionPool: {pool}}}}}"
    mesh = world(destination_rules=(destination_rule(policy),))
    cluster: Any = build_sidecar(mesh, ECHO[0]).clusters["inbound|8080||"]
    options = cluster["typed_extension_protocol_options"][_OPTIONS]
    return {k: v for k, v in options.items() if k.endswith("_config")}


@pytest.mark.parametrize(
    ("policy", "hashed"),
    [("{useSourceIp: true}", True), ("{httpHeaderName: x}", False)],
)
@pytest.mark.parametrize("route", ["", "{destination: {host: db}}"])
def test_connections_stick_to_a_host_by_their_source(policy: str, hashed: bool, route: str) -> None:
    """F5: maybeSetHashPolicy in core/networkfilter.go."""
    balancer = f"{{host: db, trafficPolicy: {{loadBalancer: {{consistentHash: {policy}}}}}}}"
    rules = [virtual_service(f"{{hosts: [db], tcp: [{{route: [{route}]}}]}}")] if route else []
    mesh = world(
        services=(service("db", ports=(5432,), protocol="TCP"),),
        destination_rules=(destination_rule(balancer),),
        virtual_services=tuple(rules),
    )
    tunnel = vhosts(mesh)["db.default.svc.cluster.local:5432"]["routes"][0]["route"]
    expected = [{"connection_properties": {"source_ip": True}}] if hashed else None
    assert tunnel.get("hash_policy") == expected


@pytest.mark.parametrize(
    ("mode", "protocol", "inspects"),
    [
        ("DISABLE", "TCP", False),
        ("PERMISSIVE", "TCP", True),
        ("STRICT", "TCP", True),
        ("DISABLE", "HTTP", False),
        ("PERMISSIVE", "HTTP", True),
    ],
)
def test_a_server_that_speaks_first_is_not_kept_waiting(
    mode: str, protocol: Any, inspects: bool
) -> None:
    """F6: without mutual TLS there is no TLS to look for."""
    peers: Named[Any] = rule("PeerAuthentication", f"{{mtls: {{mode: {mode}}}}}")
    mesh = world(services=(service("echo", protocol=protocol),), peer_authentications=(peers,))
    listener = build_sidecar(mesh, ECHO[0]).listeners["inbound|8080||"]
    assert bool(listener.get("listener_filters")) is inspects


def test_connections_come_from_the_replica_and_to_its_app_from_istio_s_own_address() -> None:
    """F11: by its source a policy knows the caller."""
    bootstrap = build_bootstrap("n", "c", {}, "/x", "/z", "/a", source_ip="127.60.0.1")
    source = bootstrap["cluster_manager"]["upstream_bind_config"]["source_address"]
    assert source["address"] == "127.60.0.1"
    app: Any = build_sidecar(world(), ECHO[0]).clusters["inbound|8080||"]
    assert app["upstream_bind_config"]["source_address"]["address"] == "127.0.0.6"
    outbound = build_outbound(world(), proxy_of(ECHO[0])).clusters.values()
    assert not any("upstream_bind_config" in cluster for cluster in outbound)
