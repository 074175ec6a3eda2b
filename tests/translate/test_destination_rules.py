"""The DestinationRule in force for a client, a port and a subset; and its newer fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.outbound_scope import outbound_scope
from meshproof.translate.world import Proxy, World
from tests.translate.builders import (
    CLIENT,
    ECHO,
    addresses,
    destination_rule,
    service,
    virtual_service,
    world,
)

HOST = "echo.default.svc.cluster.local"
RANDOM = "trafficPolicy: {loadBalancer: {simple: RANDOM}}"
FAR = replace(CLIENT, namespace="far")


def _world(*rules: str, namespace: str = "default") -> World:
    named = (destination_rule(r, f"r{i}", namespace) for i, r in enumerate(rules))
    return world(services=(service("echo", ports=(80, 8080)),), destination_rules=tuple(named))


def _cluster(mesh: World, name: str = f"outbound|80||{HOST}", proxy: Proxy = CLIENT) -> Any:
    return build_outbound(mesh, proxy).clusters[name]


def _policy(fields: str) -> Any:
    return _cluster(_world(f"{{host: echo, trafficPolicy: {{{fields}}}}}"))


def _options(cluster: Any) -> Any:
    (options,) = cluster["typed_extension_protocol_options"].values()
    return options


def test_a_port_s_own_settings_inherit_nothing() -> None:
    mesh = _world(
        "{host: echo, trafficPolicy: {loadBalancer: {simple: RANDOM}, outlierDetection: {},"
        "portLevelSettings: [{port: {number: 8080}, loadBalancer: {simple: ROUND_ROBIN}}]}}"
    )
    first, second = _cluster(mesh), _cluster(mesh, f"outbound|8080||{HOST}")
    assert (first["lb_policy"], "outlier_detection" in first) == ("RANDOM", True)
    assert (second["lb_policy"], "outlier_detection" in second) == ("ROUND_ROBIN", False)


def test_a_subset_s_port_settings_inherit_nothing_either() -> None:
    mesh = _world(
        "{host: echo, trafficPolicy: {loadBalancer: {simple: RANDOM}, outlierDetection: {}},"
        "subsets: [{name: v1, labels: {version: v1}, trafficPolicy: {portLevelSettings:"
        "[{port: {number: 80}, loadBalancer: {simple: ROUND_ROBIN}}]}}]}"
    )
    at_80 = _cluster(mesh, f"outbound|80|v1|{HOST}")
    assert (at_80["lb_policy"], "outlier_detection" in at_80) == ("ROUND_ROBIN", False)
    assert _cluster(mesh, f"outbound|8080|v1|{HOST}")["lb_policy"] == "RANDOM"


@pytest.mark.parametrize(
    ("export", "proxy", "policy"),
    [
        ("[far]", FAR, "RANDOM"),
        ("['*']", FAR, "RANDOM"),
        ("[other]", FAR, "LEAST_REQUEST"),
        ("['.']", FAR, "LEAST_REQUEST"),
        ("['.']", CLIENT, "RANDOM"),
    ],
)
def test_export_to_names_namespaces(export: str, proxy: Proxy, policy: str) -> None:
    mesh = _world(f"{{host: echo, exportTo: {export}, {RANDOM}}}")
    assert _cluster(mesh, proxy=proxy)["lb_policy"] == policy


def test_a_workload_selector_is_for_those_clients_of_its_namespace() -> None:
    selected = f"{{host: echo, workloadSelector: {{matchLabels: {{tier: front}}}}, {RANDOM}}}"
    mesh = _world(selected, "{host: echo, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}")
    back = replace(CLIENT, labels={"tier": "back"})
    assert _cluster(mesh)["lb_policy"] == "RANDOM"
    assert _cluster(mesh, proxy=back)["lb_policy"] == "ROUND_ROBIN"
    assert outbound_scope(mesh, CLIENT) != outbound_scope(mesh, back), (
        "they must not share one translation"
    )
    assert _cluster(mesh, proxy=FAR)["lb_policy"] == "ROUND_ROBIN"


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ("useSourceIp: true", {"minimum_ring_size": "1024"}),
        ("useSourceIp: true, minimumRingSize: 5", {"minimum_ring_size": "5"}),
        ("useSourceIp: true, ringHash: {minimumRingSize: 7}, minimumRingSize: 5",
         {"minimum_ring_size": "7"}),
        ("useSourceIp: true, ringHash: {}", {"minimum_ring_size": "1024"}),
    ],
)  # fmt: skip
def test_the_size_of_a_ring(fields: str, result: dict[str, str]) -> None:
    policy = _policy(f"loadBalancer: {{consistentHash: {{{fields}}}}}")
    assert (policy["lb_policy"], policy["ring_hash_lb_config"]) == ("RING_HASH", result)


def test_maglev() -> None:
    policy = _policy(
        "loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 251}}}"
    )
    assert (policy["lb_policy"], policy["maglev_lb_config"]) == ("MAGLEV", {"table_size": "251"})


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ("warmupDurationSecs: 5s", {"slow_start_window": "5s"}),
        ("warmupDurationSecs: 5s, warmup: {duration: 9s}", {"slow_start_window": "9s"}),
        (
            "warmup: {duration: 9s, minimumPercent: 5, aggression: 2}",
            {
                "slow_start_window": "9s",
                "aggression": {"default_value": 2.0, "runtime_key": "meshproof.warmup.aggression"},
                "min_weight_percent": {"value": 5.0},
            },
        ),
    ],
)
def test_warmup(fields: str, result: dict[str, Any]) -> None:
    policy = _policy(f"loadBalancer: {{simple: ROUND_ROBIN, {fields}}}")
    assert policy["round_robin_lb_config"] == {"slow_start_config": result}


def test_local_failures_are_counted_apart_only_where_they_are_split() -> None:
    counted = "consecutiveLocalOriginFailures: 3"
    assert set(_policy(f"outlierDetection: {{{counted}}}")["outlier_detection"]) == {
        "enforcing_success_rate"
    }
    policy = _policy(f"outlierDetection: {{splitExternalLocalOriginErrors: true, {counted}}}")
    assert policy["outlier_detection"] == {
        "enforcing_success_rate": 0,
        "split_external_local_origin_errors": True,
        "enforcing_local_origin_success_rate": 0,
        "consecutive_local_origin_failure": 3,
        "enforcing_consecutive_local_origin_failure": 100,
    }


def test_connections() -> None:
    policy = _policy(
        "connectionPool: {tcp: {maxConnectionDuration: 60s,"
        "tcpKeepalive: {probes: 3, time: 7s, interval: 1500ms}}}"
    )
    assert _options(policy)["common_http_protocol_options"]["max_connection_duration"] == "60s"
    assert policy["upstream_connection_options"] == {
        "tcp_keepalive": {"keepalive_probes": 3, "keepalive_time": 7, "keepalive_interval": 1}
    }


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ("", {"explicit_http_config": {"http_protocol_options": {}}}),
        ("maxConcurrentStreams: 5", {"explicit_http_config": {"http_protocol_options": {}}}),
        (
            "h2UpgradePolicy: UPGRADE, maxConcurrentStreams: 5",
            {"explicit_http_config": {"http2_protocol_options": {"max_concurrent_streams": 5}}},
        ),
        (
            "useClientProtocol: true",
            {
                "use_downstream_protocol_config": {
                    "http_protocol_options": {},
                    "http2_protocol_options": {},
                }
            },
        ),
    ],
)
def test_the_protocol_of_the_upstream(fields: str, result: dict[str, Any]) -> None:
    options = _options(_policy(f"connectionPool: {{http: {{{fields}}}}}"))
    assert {k: v for k, v in options.items() if "config" in k} == result


def test_rules_exported_to_a_namespace_stand_between_private_and_public_ones() -> None:
    def rule(name: str, export: str, namespace: str) -> Any:
        text = (
            f"{{hosts: [{HOST}], exportTo: {export}, http: [{{name: {name},"
            "route: [{destination: {host: other}}]}]}"
        )
        return virtual_service(text, name, namespace)

    rules = (rule("public", "[]", "default"), rule("shared", "[far]", "default"))
    mesh = world(virtual_services=(*rules, rule("own", "['.']", "far")))
    table: Any = build_outbound(mesh, FAR).routes["outbound"]
    (vhost,) = (v for v in table["virtual_hosts"] if v["name"] == f"{HOST}:80")
    assert vhost["routes"][1]["name"] == "own"
    shared = world(virtual_services=rules)
    table = build_outbound(shared, FAR).routes["outbound"]
    (vhost,) = (v for v in table["virtual_hosts"] if v["name"] == f"{HOST}:80")
    assert vhost["routes"][1]["name"] == "shared"


@pytest.mark.parametrize(
    ("written", "emitted"),
    [
        ("{}", {"budget_percent": {"value": 20.0}, "min_retry_concurrency": 3}),
        (
            "{percent: 0, minRetryConcurrency: 1}",
            {"budget_percent": {"value": 0.0}, "min_retry_concurrency": 1},
        ),
    ],
)
def test_a_retry_budget(written: str, emitted: dict[str, Any]) -> None:
    mesh = _world(f"{{host: echo, trafficPolicy: {{retryBudget: {written}}}}}")
    (threshold,) = _cluster(mesh)["circuit_breakers"]["thresholds"]
    assert threshold["retry_budget"] == emitted


def test_proxy_protocol_comes_before_every_transport_socket() -> None:
    """Auto mTLS has one for each kind of endpoint, ``DISABLE`` has none, and a port's own settings
    inherit nothing."""
    policy = "{host: echo, trafficPolicy: {proxyProtocol: {version: V2}%s}}"
    matches = _cluster(_world(policy % ""))["transport_socket_matches"]
    sockets = [match["transport_socket"]["typed_config"] for match in matches]
    assert [s["config"] for s in sockets] == [{"version": "V2"}] * 2
    kinds = [s["transport_socket"]["name"] for s in sockets]
    assert kinds == ["envoy.transport_sockets.tls", "envoy.transport_sockets.raw_buffer"]
    plain = _cluster(_world(policy % ", tls: {mode: DISABLE}"))["transport_socket"]
    assert plain["name"] == "envoy.transport_sockets.upstream_proxy_protocol"
    ports = ", portLevelSettings: [{port: {number: 80}, tls: {mode: DISABLE}}]"
    assert "transport_socket" not in _cluster(_world(policy % ports))


def test_passthrough_is_any_replica_whatever_the_subset() -> None:
    mesh = world(
        destination_rules=(
            destination_rule(
                "{host: echo, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}},"
                "subsets: [{name: v1, labels: {version: v1}}]}"
            ),
        )
    )
    config = build_outbound(mesh, CLIENT)
    name = f"outbound|80|v1|{HOST}"
    cluster: Any = config.clusters[name]
    assert cluster["lb_policy"] == "RANDOM"
    assert addresses(config.endpoints[name]) == [f"{r.ip}:8080" for r in ECHO]
