"""A sidecar's own resources: listeners, clusters of its app, bootstrap."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from meshproof.translate.bootstrap import build_bootstrap
from meshproof.translate.envoy_config import build_outbound, build_sidecar
from meshproof.translate.tls import build_secrets
from meshproof.translate.world import Address
from tests.translate.builders import CLIENT, ECHO, destination_rule, service, world
from tests.translate.metric_labels import labels_of

ME = ECHO[0]
NAME = "inbound|8080||"


def _listeners(**parts: Any) -> dict[str, Any]:
    listeners: dict[str, Any] = build_sidecar(
        world(**parts), ME, access_log="/tmp/access.json"
    ).listeners
    return listeners


def _managers(listener: Any) -> list[dict[str, Any]]:
    return [c["filters"][0]["typed_config"] for c in listener["filter_chains"]]


def _place(listener: Any) -> tuple[str, int]:
    address = listener["address"]["socket_address"]
    return address["address"], address["port_value"]


def test_listeners_stand_at_the_replica_s_address_and_share_no_port() -> None:
    listeners = _listeners()
    (loop,) = (listeners.pop(name) for name in list(listeners) if name.startswith("connect_loop"))
    assert loop["internal_listener"] == {}
    assert "address" not in loop
    assert {name: _place(x) for name, x in listeners.items()} == {
        NAME: ("127.60.0.1", 8080),
        "outbound": ("127.60.0.1", 15001),
        "probe": ("127.60.0.1", 15021),
    }
    assert all(x["enable_reuse_port"] is False for x in listeners.values())


def test_inbound_is_permissive_mesh_tls_or_plain_and_nothing_else() -> None:
    tls, plain = _listeners()[NAME]["filter_chains"]
    assert tls["filter_chain_match"] == {
        "transport_protocol": "tls",
        "application_protocols": [
            "istio-peer-exchange",
            "istio",
            "istio-http/1.0",
            "istio-http/1.1",
            "istio-h2",
        ],
    }
    context = tls["transport_socket"]["typed_config"]
    assert context["require_client_certificate"] is True
    params = context["common_tls_context"]["tls_params"]
    assert params["tls_minimum_protocol_version"] == "TLSv1_2"
    assert plain["filter_chain_match"] == {"transport_protocol": "raw_buffer"}
    assert "transport_socket" not in plain


def test_inbound_connection_manager() -> None:
    for manager in _managers(_listeners()[NAME]):
        assert manager["server_name"] == "istio-envoy"
        assert manager["forward_client_cert_details"] == "APPEND_FORWARD"
        assert manager["set_current_client_cert_details"]["uri"] is True
        assert manager["rds"]["route_config_name"] == NAME
        assert manager["stream_idle_timeout"] == "0s"


def test_inbound_routes_to_the_app_without_timeout() -> None:
    routes: Any = build_sidecar(world(), ME).routes[NAME]
    (virtual_host,) = routes["virtual_hosts"]
    (route,) = virtual_host["routes"]
    assert (virtual_host["name"], virtual_host["domains"]) == ("inbound|http|80", ["*"])
    assert route["decorator"] == {"operation": "echo.default.svc.cluster.local:80/*"}
    assert route["route"]["cluster"] == NAME
    assert route["route"]["timeout"] == "0s"
    assert route["route"]["retry_policy"] == {
        "retry_on": "reset-before-request",
        "num_retries": 2,
    }


def test_the_app_is_a_unix_socket_or_an_address() -> None:
    unix = replace(ME.ports[0], app=Address(path="/run/app.sock"))
    for replica, address in (
        (replace(ME, ports=(unix,)), {"pipe": {"path": "/run/app.sock"}}),
        (ME, {"socket_address": {"address": "127.60.0.1", "port_value": 9080}}),
    ):
        cluster: Any = build_sidecar(world(), replica).clusters[NAME]
        (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        assert endpoint["endpoint"]["address"] == address


def test_idle_connections_end_at_the_client_first() -> None:
    """Otherwise a request may meet a closing connection: 503 UC."""

    def idle(message: Any) -> float:
        return float(message["common_http_protocol_options"]["idle_timeout"].rstrip("s"))

    def pool(cluster: Any) -> float:
        return idle(next(iter(cluster["typed_extension_protocol_options"].values())))

    shared = build_outbound(world(), CLIENT)
    servers = [idle(m) for x in _listeners().values() for m in _managers(x)]
    assert max(pool(c) for c in shared.clusters.values()) < min(servers)
    assert pool(build_sidecar(world(), ME).clusters[NAME]) == 30


def test_the_app_s_cluster_has_the_connection_pool_of_its_destination_rule() -> None:
    rule = destination_rule(
        "{host: echo, trafficPolicy: {loadBalancer: {simple: RANDOM},"
        "connectionPool: {http: {http1MaxPendingRequests: 7}}}}"
    )
    cluster: Any = build_sidecar(world(destination_rules=(rule,)), ME).clusters[NAME]
    assert cluster["circuit_breakers"]["thresholds"][0]["max_pending_requests"] == 7
    assert "lb_policy" not in cluster


def test_a_port_of_bytes_is_proxied_as_bytes() -> None:
    config = build_sidecar(world(services=(service("echo", protocol="TCP"),)), ME)
    chains: Any = config.listeners[NAME]["filter_chains"]
    assert [c["filters"][0]["name"] for c in chains] == ["envoy.filters.network.tcp_proxy"] * 3
    assert config.routes == {}


def test_a_tunnel_leads_to_the_listener_of_its_port() -> None:
    config: Any = build_sidecar(world(services=(service("echo", ports=(80, 81)),)), ME)
    loops = {name for name in config.listeners if name.startswith("connect_loop")}
    assert loops == {"connect_loop|80", "connect_loop|81"}
    for name in loops:
        (endpoint,) = config.clusters[name]["load_assignment"]["endpoints"][0]["lb_endpoints"]
        address = {"envoy_internal_address": {"server_listener_name": name}}
        assert endpoint["endpoint"]["address"] == address
        (manager,) = _managers(config.listeners[name])
        shared = name == "connect_loop|80"
        assert manager["rds"]["route_config_name"] == ("outbound" if shared else "81")
        assert manager["strip_any_host_port"] is shared


def test_outbound_takes_connect_and_trusts_no_address() -> None:
    (manager,) = _managers(_listeners()["outbound"])
    assert manager["rds"]["route_config_name"] == "outbound"
    assert {u["upgrade_type"] for u in manager["upgrade_configs"]} == {"CONNECT", "websocket"}
    assert manager["use_remote_address"] is False
    assert manager["http_protocol_options"] == {"accept_http_10": True}, "Python 3.11's CONNECT"
    assert "server_name" not in manager


def test_access_log_keys_and_directions() -> None:
    keys = (
        "time direction method path final_path authority protocol code flags details "
        "upstream_failure bytes_received bytes_sent duration_ms upstream_host attempts "
        "upstream_cluster downstream_remote route request_id trace_id run_id user_agent"
    )
    directions = {}
    for name, listener in _listeners().items():
        log = _managers(listener)[0]["access_log"][0]
        record = log["typed_config"]["log_format"]["json_format"]
        assert sorted(record) == sorted(keys.split())
        assert log["typed_config"]["path"] == "/tmp/access.json"
        directions[name] = record["direction"]
    assert directions == {
        NAME: "inbound",
        "outbound": "outbound",
        "probe": "probe",
        "connect_loop|80": "outbound",
    }


def test_no_access_log_without_a_path() -> None:
    for listener in build_sidecar(world(), ME).listeners.values():
        for manager in _managers(listener):
            assert not [x for x in manager["access_log"] if "file" in x["name"]]


def _labels(manager: dict[str, Any]) -> dict[str, str]:
    """The labels of the metrics, the same for all four."""
    stats = [x for x in manager["access_log"] if x["name"] == "envoy.access_loggers.stats"]
    logger = stats[0]
    config = logger["typed_config"]
    result = [s["stat"] for s in (*config["counters"], *config["histograms"])]
    assert [s["name"] for s in result] == [
        "requests_total",
        "request_duration_milliseconds",
        "request_bytes",
        "response_bytes",
    ]
    assert all(s["tags"] == result[0]["tags"] for s in result)
    return labels_of(result[0])


def test_metrics_of_the_caller_name_itself_and_the_endpoint_that_answered() -> None:
    labels = _labels(_managers(_listeners()["outbound"])[0])
    assert labels["reporter"] == "source"
    assert (labels["source_workload"], labels["source_version"]) == ("echo-v1", "v1")
    assert labels["destination_version"] == "%UPSTREAM_METADATA(istio:workload)%"
    config = build_outbound(world(), CLIENT)
    name = "outbound|80||echo.default.svc.cluster.local"
    cluster: Any = config.clusters[name]
    assert cluster["metadata"]["filter_metadata"]["istio"] == {
        "service": "echo.default.svc.cluster.local;echo;default"
    }
    assignment: Any = config.endpoints[name]
    endpoint = assignment["endpoints"][0]["lb_endpoints"][0]
    assert endpoint["metadata"]["filter_metadata"]["istio"] == {
        "workload": "echo-v1;default;echo;v1"
    }


def test_metrics_of_the_server_say_whether_the_caller_was_authenticated() -> None:
    tls, plain = (_labels(m) for m in _managers(_listeners()[NAME]))
    assert tls["connection_security_policy"] == "mutual_tls"
    assert plain["connection_security_policy"] == "none"
    assert tls["reporter"] == "destination"
    assert tls["destination_service"] == "echo.default.svc.cluster.local"
    assert tls["source_principal"] == "%DOWNSTREAM_PEER_URI_SAN%"
    assert tls["source_workload"] == "%DYNAMIC_METADATA(istio.peer:caller)%"


def test_metrics_of_a_port_of_bytes() -> None:
    bytes_ = service("echo", protocol="TCP")
    listeners: Any = build_sidecar(world(services=(bytes_,)), ME).listeners[NAME]
    result = []
    for chain in listeners["filter_chains"]:
        logger = chain["filters"][-1]["typed_config"]["access_log"][-1]["typed_config"]
        assert [c["stat"]["name"] for c in logger["counters"]] == [
            "tcp_connections_closed_total",
            "tcp_sent_bytes_total",
            "tcp_received_bytes_total",
        ]
        tags = labels_of(logger["counters"][0]["stat"])
        assert tags["source_workload"] == "unknown;unknown;unknown;unknown"
        assert tags["request_protocol"] == "tcp"
        result.append(tags["connection_security_policy"])
    assert result == ["mutual_tls", "none", "none"]


def test_every_request_is_traced_but_probes_are_not() -> None:
    listeners = _listeners()
    for name in (NAME, "outbound"):
        tracing = _managers(listeners[name])[0]["tracing"]
        assert tracing["random_sampling"] == {"value": 100}
        zipkin = tracing["provider"]["typed_config"]
        assert zipkin["trace_context_option"] == "USE_B3_WITH_W3C_PROPAGATION"
        assert zipkin["shared_span_context"] is False
        run = [t for t in tracing["custom_tags"] if t["tag"] == "run_id"]
        assert run == [{"tag": "run_id", "request_header": {"name": "x-run-id"}}]
    assert listeners[NAME]["traffic_direction"] == "INBOUND"
    assert listeners["outbound"]["traffic_direction"] == "OUTBOUND"
    assert "tracing" not in _managers(listeners["probe"])[0]


def test_bootstrap() -> None:
    result: Any = build_bootstrap("n1", "svca.default", {"A": "b"}, "/x", "/z", "/a")
    assert result["node"] == {"id": "n1", "cluster": "svca.default", "metadata": {"A": "b"}}
    ads = result["dynamic_resources"]["ads_config"]
    assert (ads["api_type"], ads["set_node_on_first_message_only"]) == ("GRPC", True)
    backoff = ads["grpc_services"][0]["envoy_grpc"]["retry_policy"]["retry_back_off"]
    assert backoff == {"base_interval": "0.05s", "max_interval": "0.5s"}
    sockets = [
        c["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["pipe"]
        for c in result["static_resources"]["clusters"]
    ]
    assert sockets == [{"path": "/x"}, {"path": "/z"}]
    assert result["admin"]["address"]["pipe"] == {"path": "/a", "mode": 0o600}
    layer = result["layered_runtime"]["layers"][0]["static_layer"]
    assert layer["tracing.zipkin.flush_interval_ms"] == 100
    assert layer["tracing.zipkin.request_timeout"] == 60_000


def test_secrets_have_istio_s_names_and_the_key_stays_with_its_chain() -> None:
    result: Any = build_secrets("KEY", "CHAIN", "ROOT")
    assert set(result) == {"default", "ROOTCA"}
    assert json.dumps(result["default"]).count("inline_string") == 2
    assert result["ROOTCA"]["validation_context"]["trusted_ca"] == {"inline_string": "ROOT"}
