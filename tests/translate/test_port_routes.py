"""A pod's route tables: one for each port, whose hosts match whatever port a request names."""

from __future__ import annotations

from typing import Any

from tests.translate import builders
from tests.translate.pod_builders import ADDRESSES, service, sidecar, world


def _table(name: str, **parts: Any) -> dict[str, Any]:
    table: Any = sidecar(world(**parts)).routes[name]
    assert table["ignore_port_in_host_matching"] is True
    return {v["name"]: v for v in table["virtual_hosts"]}


def test_a_table_has_the_hosts_of_its_port_and_refuses_all_others() -> None:
    services = (service("echo"), service("other", 8081))
    assert list(_table("80", services=services)) == [
        "echo.default.svc.cluster.local:80",
        "block_all",
    ]
    assert list(_table("8081", services=services)) == [
        "other.default.svc.cluster.local:8081",
        "block_all",
    ]
    (refusal,) = _table("80")["block_all"]["routes"]
    assert refusal["direct_response"] == {"status": 502}


def test_a_host_is_known_by_its_names_and_its_address() -> None:
    domains = _table("80")["echo.default.svc.cluster.local:80"]["domains"]
    assert {"echo", "echo.default", "echo.default.svc", "echo.default.svc.cluster.local"} <= set(
        domains
    )
    assert ADDRESSES.cluster_ip("default", "echo") in domains
    assert not any(":" in domain for domain in domains)


def test_no_table_of_a_pod_opens_tunnels() -> None:
    routes = [r for v in _table("80").values() for r in v["routes"]]
    assert not [r for r in routes if "connect_matcher" in r["match"]]


def test_a_rule_routes_in_the_table_of_its_port() -> None:
    rule = builders.virtual_service(
        "{hosts: [echo], http: [{match: [{uri: {prefix: /v2}}], route: [{destination: {host: echo,"
        " subset: v2}}]}, {route: [{destination: {host: echo}}]}]}"
    )
    routes = _table(
        "80", virtual_services=(rule,), destination_rules=(builders.destination_rule(),)
    )["echo.default.svc.cluster.local:80"]["routes"]
    assert [r["route"]["cluster"] for r in routes] == [
        "outbound|80|v2|echo.default.svc.cluster.local",
        "outbound|80||echo.default.svc.cluster.local",
    ]
