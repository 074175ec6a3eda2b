"""Several servers, Gateways and rules behind one port of the gateway."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.envoy_config import build_outbound
from tests.translate import builders
from tests.translate.builders import GATEWAY, virtual_service, world


def _gateway(hosts: str, name: str = "gw", more: str = "") -> Any:
    server = f"{{port: {{number: 80, protocol: HTTP}}, hosts: [{hosts}]{more}}}"
    return builders.gateway(
        f"{{selector: {{istio: ingressgateway}}, servers: [{server}]}}", name=name
    )


def _rule(host: str, gateways: str, *matches: str, name: str = "echo") -> Any:
    routes = ", ".join(
        f"{{match: [{{{m}}}], route: [{{destination: {{host: echo}}}}]}}" for m in matches
    )
    return virtual_service(
        f"{{hosts: [{host}], gateways: [{gateways}], http: [{routes}]}}", name=name
    )


def _hosts(gateways: tuple[Any, ...], *rules: Any) -> dict[str, Any]:
    mesh = world(gateways=gateways, virtual_services=rules)
    table: Any = build_outbound(mesh, GATEWAY).routes["http.80"]
    return {v["domains"][0]: v for v in table["virtual_hosts"]}


def _paths(host: Any) -> list[str]:
    return [route["match"]["prefix"] for route in host["routes"]]


def test_the_older_gateways_rules_come_first_whichever_rule_is_older() -> None:
    hosts = _hosts(
        (_gateway("'*'", "a"), _gateway("'*'", "b")),
        _rule("a.test", "b", "uri: {prefix: /1}", name="r1"),
        _rule("a.test", "a", "uri: {prefix: /2}", name="r2"),
    )
    assert _paths(hosts["a.test"]) == ["/2", "/1"]


def test_a_match_for_one_gateway_is_not_on_the_hosts_of_another() -> None:
    rule = _rule("'*'", "a, b", "uri: {prefix: /1}, gateways: [a]", "uri: {prefix: /2}")
    hosts = _hosts((_gateway("a.test", "a"), _gateway("b.test", "b")), rule)
    assert {name: _paths(host) for name, host in hosts.items()} == {
        "a.test": ["/1", "/2"],
        "b.test": ["/2"],
    }


def test_a_rule_without_a_route_here_leaves_its_host_to_a_wildcard() -> None:
    hosts = _hosts(
        (_gateway("'*'"),),
        _rule("a.test", "gw", "port: 81", name="r1"),
        _rule("'*.test'", "gw", "uri: {prefix: /2}", name="r2"),
    )
    assert list(hosts) == ["*.test"]


def test_hosts_in_any_case_are_one_host() -> None:
    hosts = _hosts(
        (_gateway("A.test"),),
        _rule("a.TEST", "gw", "uri: {prefix: /1}", name="r1"),
        _rule("a.test", "gw", "uri: {prefix: /2}", name="r2"),
    )
    assert {name: _paths(host) for name, host in hosts.items()} == {"a.test": ["/1", "/2"]}


def test_a_redirecting_server_redirects_the_rules_hosts_within_its_wildcard() -> None:
    redirecting = _gateway("'*.test'", more=", tls: {httpsRedirect: true}")
    plain = _gateway("a.other", "plain")
    hosts = _hosts(
        (redirecting, plain),
        _rule("a.test", "gw", "uri: {prefix: /1}", name="r1"),
        _rule("a.other", "plain", "uri: {prefix: /2}", name="r2"),
    )
    assert {name: host.get("require_tls") for name, host in hosts.items()} == {
        "*.test": "ALL",
        "a.test": "ALL",
        "a.other": None,
    }


@pytest.mark.parametrize(
    ("written", "redirected"),
    [("a.test", True), ("'*/a.test'", True), ("default/a.test", False), ("./a.test", False)],
)
def test_a_redirecting_servers_own_hosts_but_those_of_one_namespace(
    written: str, redirected: bool
) -> None:
    hosts = _hosts((_gateway(written, more=", tls: {httpsRedirect: true}"),))
    assert ("a.test" in hosts) is redirected
