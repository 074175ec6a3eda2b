"""Clusters and endpoints of Services, and the DestinationRule in force for each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.translate.clusters import eds_clusters
from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.referenced_clusters import referenced_clusters
from meshproof.translate.world import Address, Config, Proxy, World
from tests.translate.builders import (
    CLIENT,
    ECHO,
    addresses,
    destination_rule,
    replica,
    service,
    virtual_service,
    world,
)

HOST = "echo.default.svc.cluster.local"
NAME = f"outbound|80||{HOST}"


def _config(proxy: Proxy = CLIENT, **parts: Any) -> Config:
    return build_outbound(world(**parts), proxy)


def _cluster(policy: str = "{}", name: str = NAME, more: str = "") -> dict[str, Any]:
    rule = destination_rule(f"{{host: echo, trafficPolicy: {policy}{more}}}")
    cluster: dict[str, Any] = _config(destination_rules=(rule,)).clusters[name]
    return cluster


def test_one_cluster_a_port_and_one_more_a_subset() -> None:
    config = _config(
        services=(service("echo", ports=(80, 81)),), destination_rules=(destination_rule(),)
    )
    assert sorted(config.clusters) == sorted(
        f"outbound|{port}|{subset}|{HOST}" for port in (80, 81) for subset in ("", "v1", "v2", "v3")
    )
    assert eds_clusters(config) == set(config.clusters) == set(config.endpoints)


def test_endpoints_are_ready_replicas_by_label() -> None:
    replicas = (*ECHO, replica("echo", "v3", "127.60.0.3", ready=False))
    config = _config(replicas=replicas, destination_rules=(destination_rule(),))
    endpoints = {n.split("|")[2]: addresses(a) for n, a in config.endpoints.items() if "echo" in n}
    assert endpoints == {
        "": ["127.60.0.1:8080", "127.60.0.2:8080"],
        "v1": ["127.60.0.1:8080"],
        "v2": ["127.60.0.2:8080"],
        "v3": [],
    }


def test_endpoints_carry_the_real_address_not_the_declared_port() -> None:
    moved = replace(ECHO[0].ports[0], listen=Address("127.60.0.1", 31000))
    config = _config(replicas=(replace(ECHO[0], ports=(moved,)),))
    assert addresses(config.endpoints[NAME]) == ["127.60.0.1:31000"]


def test_replicas_of_another_namespace_are_not_selected() -> None:
    config = _config(replicas=(replica("echo", "v1", "127.60.0.1", namespace="elsewhere"),))
    assert addresses(config.endpoints[NAME]) == []


def test_mesh_clusters_ask_for_the_exact_identities_of_the_service() -> None:
    replicas = (ECHO[0], replica("echo", "v2", "127.60.0.2", account="second", ready=False))
    cluster: Any = _config(replicas=replicas).clusters[NAME]
    config = cluster["transport_socket_matches"][0]["transport_socket"]["typed_config"]
    common = config["common_tls_context"]
    assert config["sni"] == f"outbound_.80_._.{HOST}"
    assert common["combined_validation_context"]["default_validation_context"] == {
        "match_typed_subject_alt_names": [
            {"san_type": "URI", "matcher": {"exact": f"spiffe://cluster.local/ns/default/sa/{who}"}}
            for who in ("echo", "second")
        ]
    }
    assert common["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_2"
    assert common["alpn_protocols"] == ["istio-http/1.1", "istio", "http/1.1"]


def test_defaults_are_istio_s() -> None:
    cluster = _cluster()
    assert cluster["lb_policy"] == "LEAST_REQUEST"
    assert cluster["connect_timeout"] == "10s"
    assert set(cluster["circuit_breakers"]["thresholds"][0].values()) == {4294967295}
    assert cluster["common_lb_config"] == {"healthy_panic_threshold": {"value": 0.0}}
    assert "outlier_detection" not in cluster


@pytest.mark.parametrize(
    ("balancer", "emitted"),
    [
        ("simple: RANDOM", {"lb_policy": "RANDOM"}),
        ("simple: ROUND_ROBIN", {"lb_policy": "ROUND_ROBIN"}),
        ("simple: LEAST_CONN", {"lb_policy": "LEAST_REQUEST"}),
        ("simple: UNSPECIFIED", {"lb_policy": "LEAST_REQUEST"}),
        (
            "simple: ROUND_ROBIN, warmupDurationSecs: 30s",
            {"round_robin_lb_config": {"slow_start_config": {"slow_start_window": "30s"}}},
        ),
        (
            "consistentHash: {useSourceIp: true}",
            {"lb_policy": "RING_HASH", "ring_hash_lb_config": {"minimum_ring_size": "1024"}},
        ),
    ],
)
def test_load_balancer(balancer: str, emitted: dict[str, Any]) -> None:
    assert _cluster(f"{{loadBalancer: {{{balancer}}}}}").items() >= emitted.items()


def test_connection_pool() -> None:
    cluster = _cluster(
        "{connectionPool: {tcp: {maxConnections: 1, connectTimeout: 2s}, http: {maxRetries: 0,"
        "http1MaxPendingRequests: 3, http2MaxRequests: 4, maxRequestsPerConnection: 5,"
        "idleTimeout: 6s}}}"
    )
    assert cluster["connect_timeout"] == "2s"
    assert cluster["circuit_breakers"]["thresholds"] == [
        {
            "max_connections": 1,
            "max_pending_requests": 3,
            "max_requests": 4,
            "max_retries": 4294967295,
        }
    ]
    (options,) = cluster["typed_extension_protocol_options"].values()
    assert options["common_http_protocol_options"] == {
        "idle_timeout": "6s",
        "max_requests_per_connection": 5,
    }


def test_outlier_detection() -> None:
    cluster = _cluster(
        "{outlierDetection: {consecutive5xxErrors: 2, consecutiveGatewayErrors: 0, interval: 1s,"
        "baseEjectionTime: 30s, maxEjectionPercent: 100, minHealthPercent: 20}}"
    )
    assert cluster["outlier_detection"] == {
        "enforcing_success_rate": 0,
        "consecutive_5xx": 2,
        "enforcing_consecutive_5xx": 100,
        "enforcing_consecutive_gateway_failure": 0,
        "interval": "1s",
        "base_ejection_time": "30s",
        "max_ejection_percent": 100,
    }
    assert cluster["common_lb_config"]["healthy_panic_threshold"] == {"value": 20.0}


def test_a_subset_s_policy_overrides_block_by_block() -> None:
    cluster = _cluster(
        "{loadBalancer: {simple: RANDOM}, connectionPool: {tcp: {maxConnections: 1}}}",
        f"outbound|80|v1|{HOST}",
        ", subsets: [{name: v1, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}]",
    )
    assert cluster["lb_policy"] == "ROUND_ROBIN"
    assert cluster["circuit_breakers"]["thresholds"][0]["max_connections"] == 1


def _balancer(*rules: tuple[str, str, str], proxy: Proxy = CLIENT) -> str:
    """The policy of echo in default under rules of (host, namespace, balancer[, more])."""
    result = tuple(
        destination_rule(
            f"{{host: '{host}', trafficPolicy: {{loadBalancer: {{simple: {simple}}}}}}}",
            namespace=namespace,
        )
        for host, namespace, simple in rules
    )
    return str(_config(proxy, destination_rules=result).clusters[NAME]["lb_policy"])


def test_rules_are_looked_up_at_the_client_then_the_service_then_the_root() -> None:
    client = Proxy("sidecar", "shop", "c", {}, "c")
    at_client = (HOST, "shop", "RANDOM")
    at_service = ("echo", "default", "ROUND_ROBIN")
    at_root = ("*.local", "istio-system", "RANDOM")
    assert _balancer(at_root, at_service, at_client, proxy=client) == "RANDOM"
    assert _balancer(at_root, at_service, proxy=client) == "ROUND_ROBIN"
    assert _balancer(at_root, proxy=client) == "RANDOM"
    assert _balancer((HOST, "third", "RANDOM"), proxy=client) == "LEAST_REQUEST"


def test_the_nearest_host_wins_and_short_hosts_belong_to_the_rule_s_namespace() -> None:
    wide, near = ("*.local", "default", "RANDOM"), ("echo", "default", "ROUND_ROBIN")
    assert _balancer(wide, near) == "ROUND_ROBIN"
    assert _balancer(("*", "default", "ROUND_ROBIN"), wide) == "RANDOM"
    client = Proxy("sidecar", "shop", "c", {}, "c")
    assert _balancer(("echo", "shop", "RANDOM"), proxy=client) == "LEAST_REQUEST"


def test_a_private_rule_binds_clients_of_its_namespace_alone() -> None:
    rule = destination_rule(
        "{host: echo, exportTo: ['.'], trafficPolicy: {loadBalancer: {simple: RANDOM}}}"
    )
    client = Proxy("sidecar", "shop", "c", {}, "c")
    assert _config(destination_rules=(rule,)).clusters[NAME]["lb_policy"] == "RANDOM"
    config = _config(client, destination_rules=(rule,))
    assert config.clusters[NAME]["lb_policy"] == "LEAST_REQUEST"


def test_rules_of_one_host_merge_the_first_policy_and_all_subsets() -> None:
    rules = (
        destination_rule("{host: echo, subsets: [{name: a, labels: {version: v1}}]}"),
        destination_rule(
            "{host: echo, subsets: [{name: a, labels: {version: v2}}, {name: b}],"
            "trafficPolicy: {loadBalancer: {simple: RANDOM}}}"
        ),
        destination_rule("{host: echo, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}"),
    )
    config = _config(destination_rules=rules)
    assert config.clusters[f"outbound|80|b|{HOST}"]["lb_policy"] == "RANDOM"
    assert addresses(config.endpoints[f"outbound|80|a|{HOST}"]) == ["127.60.0.1:8080"]


def test_referenced_clusters_are_those_of_routes_splits_and_mirrors() -> None:
    rule = virtual_service(
        "{hosts: [echo], http: [{route: [{destination: {host: echo, subset: a}, weight: 1},"
        "{destination: {host: gone}, weight: 1}], mirror: {host: copy}}]}"
    )
    mesh: World = world(services=(service("echo"),), virtual_services=(rule,))
    assert referenced_clusters(build_outbound(mesh, CLIENT).routes) == {
        "connect_loop|80",
        f"outbound|80|a|{HOST}",
        "outbound|80||gone.default.svc.cluster.local",
        "outbound|80||copy.default.svc.cluster.local",
    }
