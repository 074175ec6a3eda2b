"""From a MeshConfig to connection managers, clusters and routes."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.istio_names import outbound_cluster
from meshproof.model.mesh_config import MeshConfig
from meshproof.model.proxy_config import ProxyConfig
from meshproof.translate.envoy_config import build_outbound, build_sidecar, proxy_of
from meshproof.translate.mesh_settings import connection_manager_settings
from meshproof.translate.outbound_scope import outbound_scope
from meshproof.translate.telemetry import select_reporting
from meshproof.translate.world import Address, Outside, Service, ServicePort, World
from tests.translate.builders import ECHO, GATEWAY, destination_rule, labelled, world


def _mesh(**fields: Any) -> World:
    return world(mesh=MeshConfig.model_validate(fields))


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("NONE", (False, None, "KEEP_UNCHANGED")),
        ("BASE", (True, None, "KEEP_UNCHANGED")),
        ("DEFAULT", (True, None, "KEEP_UNCHANGED")),
        ("MERGE_SLASHES", (True, True, "KEEP_UNCHANGED")),
        ("DECODE_AND_MERGE_SLASHES", (True, True, "UNESCAPE_AND_FORWARD")),
    ],
)
@pytest.mark.parametrize("listener", ["outbound", "inbound|8080||"])
def test_paths(normalization: str, expected: tuple[object, ...], listener: str) -> None:
    listeners: Any = build_sidecar(
        _mesh(pathNormalization={"normalization": normalization}), ECHO[0]
    ).listeners
    manager = listeners[listener]["filter_chains"][0]["filters"][0]["typed_config"]
    keys = ("normalize_path", "merge_slashes", "path_with_escaped_slashes_action")
    assert tuple(manager.get(key) for key in keys) == expected


def _settings(side: Any, **default_config: Any) -> dict[str, Any]:
    return connection_manager_settings(
        MeshConfig.model_validate({"defaultConfig": default_config}), side
    )


def test_trusted_proxies_are_the_gateway_s_alone() -> None:
    topology = {"numTrustedProxies": 2, "forwardClientCertDetails": "FORWARD_ONLY"}
    assert _settings("gateway", gatewayTopology=topology) == {
        "server_name": "istio-envoy",
        "xff_num_trusted_hops": 2,
        "forward_client_cert_details": "FORWARD_ONLY",
    }
    assert _settings("inbound", gatewayTopology=topology) == _settings("inbound")


def test_headers_that_envoy_adds() -> None:
    headers = {
        "server": {"disabled": True},
        "requestId": {"disabled": True},
        "xForwardedPort": {"enabled": True},
        "forwardedClientCert": "SANITIZE",
        "setCurrentClientCertDetails": {"subject": False, "cert": True},
    }
    inbound = _settings("inbound", proxyHeaders=headers)
    assert inbound == {
        "server_header_transformation": "PASS_THROUGH",
        "generate_request_id": False,
        "append_x_forwarded_port": True,
        "forward_client_cert_details": "SANITIZE",
        "set_current_client_cert_details": {
            "subject": False,
            "dns": True,
            "uri": True,
            "cert": True,
        },
    }
    outbound = _settings("outbound", proxyHeaders={"server": {"value": "shop"}})
    assert outbound == {"server_name": "shop"}


def test_the_default_retry_policy_is_for_routes_that_name_none() -> None:
    mesh = _mesh(defaultHttpRetryPolicy={"attempts": 1, "retryOn": "5xx"})
    assert _retries(mesh) == {("5xx", 1)}
    assert _retries(_mesh(defaultHttpRetryPolicy={"attempts": 0})) == {None}


def _retries(mesh: World) -> set[object]:
    routes: Any = build_outbound(mesh, proxy_of(ECHO[0])).routes["outbound"]
    policies = [
        route["route"].get("retry_policy")
        for host in routes["virtual_hosts"]
        for route in host["routes"]
        if route.get("name") == "default"
    ]
    return {p and (p["retry_on"], p["num_retries"]) for p in policies}


def test_connect_timeout_and_attempt_count() -> None:
    mesh = _mesh(
        connectTimeout="3s", defaultConfig={"proxyHeaders": {"attemptCount": {"disabled": True}}}
    )
    config: Any = build_outbound(mesh, proxy_of(ECHO[0]))
    assert {c["connect_timeout"] for c in config.clusters.values()} == {"3s"}
    hosts = config.routes["outbound"]["virtual_hosts"]
    assert not any(h["include_request_attempt_count"] for h in hosts)


def test_no_spans_unless_a_default_provider_says_so() -> None:
    plain, provided = _mesh(enableTracing=False), {"tracing": ["zipkin"]}
    reports = [
        select_reporting(mesh, labelled({}), "CLIENT").spans
        for mesh in (plain, _mesh(enableTracing=False, defaultProviders=provided))
    ]
    assert reports == [False, True]


def test_all_outside_hosts_are_open_under_allow_any_but_not_to_a_gateway() -> None:
    config = MeshConfig.model_validate({"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}})
    mesh = world(mesh=config, outside=(Outside("a.test", {80: Address("127.0.0.1", 9)}),))
    assert "PassthroughCluster" in build_outbound(mesh, proxy_of(ECHO[0])).clusters
    assert "PassthroughCluster" not in build_outbound(mesh, GATEWAY).clusters


def test_a_workload_s_own_proxy_config_is_its_sidecar_s_alone() -> None:
    own = ProxyConfig.model_validate(
        {
            "proxyHeaders": {"server": {"disabled": True}, "attemptCount": {"disabled": True}},
            "tracing": {"sampling": 5.0, "customTags": {"t": {"environment": {"name": "TIER"}}}},
            "proxyMetadata": {"TIER": "gold"},
        }
    )
    mesh = world(proxy_configs={("default", "echo-v1"): own})
    first, second = (build_sidecar(mesh, replica).listeners["inbound|8080||"] for replica in ECHO)
    assert "server_header_transformation" in str(first)
    assert "server_header_transformation" not in str(second)
    assert "{'tag': 't', 'literal': {'value': 'gold'}}" in str(first)
    tables: list[Any] = [build_outbound(mesh, proxy_of(r)).routes["outbound"] for r in ECHO]
    counts = [t["virtual_hosts"][0]["include_request_attempt_count"] for t in tables]
    assert counts == [False, True]
    assert outbound_scope(mesh, proxy_of(ECHO[0])) != outbound_scope(mesh, proxy_of(ECHO[1]))


def _cluster(fields: dict[str, Any], **parts: Any) -> Any:
    mesh = world(mesh=MeshConfig.model_validate(fields), **parts)
    return build_outbound(mesh, proxy_of(ECHO[0])).clusters[outbound_cluster(80, HOST)]


HOST = "echo.default.svc.cluster.local"


def test_keepalive_of_the_mesh_and_of_the_rule_are_merged_field_by_field() -> None:
    rule = "{host: echo, trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {probes: 3}}}}}"
    fields = {"tcpKeepalive": {"probes": 9, "time": "60s"}}
    cluster = _cluster(fields, destination_rules=(destination_rule(rule),))
    assert cluster["upstream_connection_options"]["tcp_keepalive"] == {
        "keepalive_probes": 3,
        "keepalive_time": 60,
    }


@pytest.mark.parametrize(
    ("rule", "h2", "upgraded"),
    [
        ("", False, True),
        ("DO_NOT_UPGRADE", False, False),
        ("DEFAULT", False, True),
        ("", None, False),
    ],
)
def test_the_mesh_upgrades_what_is_http_and_no_rule_keeps_as_it_is(
    rule: str, *, h2: bool | None, upgraded: bool
) -> None:
    port = ServicePort("p80", 80, 8080, "HTTP", h2)
    services = (Service("echo", "default", {"app": "echo"}, (port,)),)
    text = (
        f"{{host: echo, trafficPolicy: {{connectionPool: {{http: {{h2UpgradePolicy: {rule}}}}}}}}}"
    )
    rules = (destination_rule(text),) if rule else ()
    cluster = _cluster({"h2UpgradePolicy": "UPGRADE"}, services=services, destination_rules=rules)
    (options,) = cluster["typed_extension_protocol_options"].values()
    config = options.get("explicit_http_config", {})
    assert ("http2_protocol_options" in config) is upgraded


def test_the_mesh_s_own_tls_and_all_other_tls_have_settings_of_their_own() -> None:
    fields = {
        "meshMTLS": {"minProtocolVersion": "TLSV1_3"},
        "tlsDefaults": {"ecdhCurves": ["P-256"], "cipherSuites": ["ECDHE-RSA-AES128-GCM-SHA256"]},
    }
    inbound: Any = build_sidecar(_mesh(**fields), ECHO[0]).listeners["inbound|8080||"]
    params = [
        chain["transport_socket"]["typed_config"]["common_tls_context"]["tls_params"]
        for chain in inbound["filter_chains"]
        if "transport_socket" in chain
    ]
    assert params == [
        {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"}
    ]
    rule = "{host: echo, trafficPolicy: {tls: {mode: SIMPLE}}}"
    cluster = _cluster(fields, destination_rules=(destination_rule(rule),))
    context = cluster["transport_socket"]["typed_config"]["common_tls_context"]
    assert context["tls_params"]["ecdh_curves"] == ["P-256"]
    assert context["tls_params"]["cipher_suites"] == ["ECDHE-RSA-AES128-GCM-SHA256"]
    assert context["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_2"
