"""Patches of route tables and clusters, and of gateways: where each applies, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.translate.world import Address, Service, ServicePort
from tests.envoy_filters.patch_builders import (
    BEFORE_ROUTER,
    INTO_HCM,
    LUA,
    envoy_filter,
    gateway,
    http_filters,
    lua,
    sidecar,
)
from tests.translate import builders

INBOUND = "inbound|8080||"
CLUSTER = "outbound|80||echo.default.svc.cluster.local"
HOST = "echo.default.svc.cluster.local:80"


def test_headers_of_a_table_a_host_and_a_route() -> None:
    header = "response_headers_to_add: [{header: {key: x-%s, value: '1'}}]"
    config = sidecar(
        envoy_filter(f"""
        - applyTo: ROUTE_CONFIGURATION
          match: {{context: SIDECAR_OUTBOUND}}
          patch: {{operation: MERGE, value: {{{header % "table"}}}}}
        - applyTo: VIRTUAL_HOST
          match: {{context: SIDECAR_OUTBOUND, routeConfiguration: {{vhost: {{name: "{HOST}"}}}}}}
          patch: {{operation: MERGE, value: {{{header % "host"}}}}}
        - applyTo: HTTP_ROUTE
          match:
            context: SIDECAR_OUTBOUND
            routeConfiguration: {{vhost: {{name: "{HOST}", route: {{action: ROUTE}}}}}}
          patch: {{operation: MERGE, value: {{{header % "route"}}}}}
        """)
    )
    table = config.routes["outbound"]
    assert _added(table) == ["x-table"]
    hosts = {h["name"]: h for h in table["virtual_hosts"]}
    assert _added(hosts[HOST]) == ["x-host"]
    assert {_added(r)[0] for r in hosts[HOST]["routes"]} == {"x-route"}
    assert not [r for r in hosts["block_all"]["routes"] if _added(r)]


def _added(value: Any) -> list[str]:
    return [h["header"]["key"] for h in value.get("response_headers_to_add", ())]


def test_a_route_comes_first_and_a_host_is_added_and_removed() -> None:
    maintenance = "{name: down, match: {prefix: /}, direct_response: {status: 503}}"
    config = sidecar(
        envoy_filter(f"""
        - applyTo: HTTP_ROUTE
          match: {{context: SIDECAR_OUTBOUND, routeConfiguration: {{vhost: {{name: "{HOST}"}}}}}}
          patch: {{operation: INSERT_FIRST, value: {maintenance}}}
        - applyTo: VIRTUAL_HOST
          match: {{context: SIDECAR_OUTBOUND}}
          patch:
            operation: ADD
            value: {{name: extra, domains: [extra.test], routes: [{maintenance}]}}
        - applyTo: VIRTUAL_HOST
          match:
            context: SIDECAR_OUTBOUND
            routeConfiguration: {{vhost: {{name: "other.default.svc.cluster.local:80"}}}}
          patch: {{operation: REMOVE}}
        """)
    )
    hosts = {h["name"]: h for h in config.routes["outbound"]["virtual_hosts"]}
    assert hosts[HOST]["routes"][0]["name"] == "down"
    assert "extra" in hosts
    assert "other.default.svc.cluster.local:80" not in hosts


def test_inbound_routes_are_known_by_their_port_and_virtual_host() -> None:
    limit = envoy_filter("""
        applyTo: HTTP_ROUTE
        match:
          context: SIDECAR_INBOUND
          routeConfiguration: {portNumber: 8080, vhost: {name: "inbound|http|80"}}
        patch:
          operation: MERGE
          value: {route: {rate_limits: [{actions: [{remote_address: {}}]}]}}
        """)
    config = sidecar(limit)
    (host,) = config.routes[INBOUND]["virtual_hosts"]
    assert host["routes"][0]["route"]["rate_limits"] == [{"actions": [{"remote_address": {}}]}]
    assert host["routes"][0]["route"]["cluster"] == INBOUND


@pytest.mark.parametrize(
    ("match", "applies"),
    [
        (f'name: "{CLUSTER}"', True),
        ("service: echo.default.svc.cluster.local", True),
        ("service: echo.default.svc.cluster.local, portNumber: 80", True),
        ("service: echo.default.svc.cluster.local, portNumber: 81", False),
        ("service: other.default.svc.cluster.local", False),
        ("subset: v9", False),
    ],
)
def test_a_cluster_is_merged_where_it_matches(match: str, applies: bool) -> None:
    config = sidecar(
        envoy_filter(
            f"applyTo: CLUSTER\nmatch: {{context: SIDECAR_OUTBOUND, cluster: {{{match}}}}}\n"
            "patch: {operation: MERGE, value: {connect_timeout: 3s, lb_policy: RANDOM}}"
        )
    )
    cluster = config.clusters[CLUSTER]
    assert (cluster["connect_timeout"] == "3s") == applies
    assert (cluster["lb_policy"] == "RANDOM") == applies
    assert cluster["type"] == "EDS"


def test_a_cluster_of_one_s_own_finds_servers_of_the_mesh_and_no_others() -> None:
    server = "{endpoint: {address: {socket_address: {address: %s, port_value: %d}}}}"
    hosts = (("echo.default.svc.cluster.local", 80), ("bank.test", 443), ("evil.test", 80))
    servers = ", ".join(server % row for row in hosts)
    config = sidecar(
        envoy_filter(f"""
        applyTo: CLUSTER
        patch:
          operation: ADD
          value:
            name: rate_limit
            type: STRICT_DNS
            load_assignment:
              cluster_name: rate_limit
              endpoints: [{{lb_endpoints: [{servers}]}}]
        """),
        outside=(builders.outside("bank.test", {443: Address("127.0.0.9", 4430)}),),
    )
    cluster = config.clusters["rate_limit"]
    assert cluster.get("type", "STATIC") == "STATIC", "no Envoy looks names up"
    assert builders.addresses(cluster["load_assignment"]) == [
        "127.60.0.1:8080",
        "127.60.0.2:8080",
        "127.0.0.9:4430",
    ]


def test_filters_apply_by_priority_to_the_workloads_that_they_select() -> None:
    first = lua("INSERT_FIRST", INTO_HCM)
    others = envoy_filter(
        f"applyTo: HTTP_FILTER\nmatch: {{context: SIDECAR_INBOUND, {INTO_HCM}}}\n"
        f"patch:\n  operation: INSERT_FIRST\n  value:{LUA}",
        "others",
        workloadSelector={"labels": {"app": "nobody"}},
    )
    late = envoy_filter(
        "applyTo: HTTP_FILTER\n"
        f"match: {{context: SIDECAR_INBOUND, {BEFORE_ROUTER.replace('router', 'lua')}}}\n"
        "patch: {operation: MERGE, value: {name: envoy.filters.http.renamed}}",
        "late",
        priority=10,
    )
    chains = http_filters(sidecar(late, others, first).listeners[INBOUND])
    assert [names[0] for names in chains] == ["renamed", "renamed"]
    assert [names.count("lua") for names in chains] == [0, 0]


def test_a_gateway_s_listeners_and_tables() -> None:
    parts = {
        "gateways": (
            builders.gateway(
                "{selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http,"
                " protocol: HTTP}, hosts: ['*']}]}"
            ),
        )
    }
    filters = (
        lua("INSERT_FIRST", "listener: {portNumber: 80}", "GATEWAY"),
        envoy_filter(
            "applyTo: ROUTE_CONFIGURATION\n"
            "match: {context: GATEWAY, routeConfiguration: {portNumber: 80}}\n"
            "patch: {operation: MERGE, value: {request_headers_to_remove: [x-secret]}}"
        ),
    )
    config = gateway(*filters, proxy=builders.GATEWAY, **parts)
    assert "lua" not in http_filters(config.listeners["http.80"])[0], "they are of a namespace"
    own = [replace(f, namespace="istio-system") for f in filters]
    config = gateway(*own, proxy=builders.GATEWAY, **parts)
    assert http_filters(config.listeners["http.80"])[0][0] == "lua"
    assert config.routes["http.80"]["request_headers_to_remove"] == ["x-secret"]


@pytest.mark.parametrize(
    ("match", "listener", "table"),
    [
        ("portNumber: 8080", True, True),
        ("portNumber: 80", False, True),
        ("name: 0.0.0.0_8080", True, False),
        ("name: http.8080", False, True),
        ("name: http.80", False, False),
    ],
)
def test_a_gateway_s_are_called_by_the_port_of_its_pod(
    match: str, *, listener: bool, table: bool
) -> None:
    """Istio's listener 0.0.0.0_8080 and route table http.8080; of a table the server's port does
    too (routeConfigurationMatch of core/envoyfilter/rc_patch.go)."""
    server = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"
    own = builders.gateway(f"{{selector: {{istio: ingressgateway}}, servers: [{server}]}}")
    port = ServicePort("http", 80, 8080, "HTTP")
    service = Service("gw", "istio-system", {"istio": "ingressgateway"}, (port,))
    filters = (
        lua("INSERT_FIRST", f"listener: {{{match}}}", "GATEWAY"),
        envoy_filter(
            "applyTo: ROUTE_CONFIGURATION\n"
            f"match: {{context: GATEWAY, routeConfiguration: {{{match}}}}}\n"
            "patch: {operation: MERGE, value: {request_headers_to_remove: [x-secret]}}"
        ),
    )
    rows = [replace(f, namespace="istio-system") for f in filters]
    config = gateway(*rows, proxy=builders.GATEWAY, gateways=(own,), services=(service,))
    assert (http_filters(config.listeners["http.80"])[0][0] == "lua") == listener
    assert ("request_headers_to_remove" in config.routes["http.80"]) == table
