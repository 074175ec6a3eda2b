"""The ingress gateway: servers, hosts, merged rules, bound ports."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.model.authorization_policy import AuthorizationPolicy
from meshproof.translate.envoy_config import build_gateway, build_outbound
from meshproof.translate.world import Named
from tests.translate import builders
from tests.translate.builders import GATEWAY, service, virtual_service, world

SERVER = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"


def _gateway(servers: str = SERVER, selector: str = "{istio: ingressgateway}", **names: str) -> Any:
    return builders.gateway(f"{{selector: {selector}, servers: [{servers}]}}", **names)


def _rule(host: str, path: str, more: str = "", **names: str) -> Any:
    return virtual_service(
        f"{{hosts: ['{host}'], gateways: [gw], http: [{{match: [{{uri: {{prefix: {path}}}{more}}}],"
        "route: [{destination: {host: echo}}]}]}",
        **names,
    )


def _table(*rules: Any, gateways: tuple[Any, ...] = (), port: int = 80) -> dict[str, list[str]]:
    """Paths by domain."""
    mesh = world(gateways=gateways or (_gateway(),), virtual_services=rules)
    table: Any = build_outbound(mesh, GATEWAY).routes[f"http.{port}"]
    return {
        v["domains"][0]: [r["match"]["prefix"] for r in v.get("routes", [])]
        for v in table["virtual_hosts"]
    }


def test_a_rule_bound_to_the_gateway_is_served() -> None:
    assert _table(_rule("*", "/pay")) == {"*": ["/pay"]}


def test_a_destination_without_a_port_means_its_service_s_only_one() -> None:
    """Unlike a sidecar, a gateway knows the services of every port."""
    rule = virtual_service(
        "{hosts: [a.test], gateways: [gw], http: [{route: [{destination: {host: depot}}]}]}"
    )
    services = (service("depot", ports=(7000,)),)
    mesh = world(services=services, gateways=(_gateway(),), virtual_services=(rule,))
    hosts: Any = build_outbound(mesh, GATEWAY).routes["http.80"]["virtual_hosts"]
    cluster = hosts[0]["routes"][0]["route"]["cluster"]
    assert cluster == "outbound|7000||depot.default.svc.cluster.local"


def test_rules_of_one_host_are_merged_in_order() -> None:
    assert _table(_rule("a.test", "/1"), _rule("*", "/0"), _rule("a.test", "/2")) == {
        "a.test": ["/1", "/2"],
        "*": ["/0"],
    }


def test_what_catches_all_is_last_whichever_rule_it_is_of() -> None:
    assert _table(_rule("a.test", "/"), _rule("a.test", "/2")) == {"a.test": ["/2", "/"]}


def test_with_policies_what_has_no_route_is_asked_about_too() -> None:
    policy = Named("p", "istio-system", AuthorizationPolicy.model_validate({"action": "ALLOW"}))
    mesh = world(
        gateways=(_gateway(),),
        virtual_services=(_rule("a.test", "/a"),),
        authorization_policies=(policy,),
    )
    hosts: Any = build_outbound(mesh, GATEWAY).routes["http.80"]["virtual_hosts"]
    assert [h["domains"] for h in hosts] == [["a.test"], ["*"]]
    last = [h["routes"][-1] for h in hosts]
    assert [(r["match"], r["direct_response"]) for r in last] == [
        ({"prefix": "/"}, {"status": 404})
    ] * 2


@pytest.mark.parametrize(
    ("admits", "host", "served"),
    [
        ("'*'", "a.test", "a.test"),
        ("a.test", "'*'", "a.test"),
        ("'*.test'", "a.test", "a.test"),
        ("b.test", "a.test", None),
        ("default/a.test", "a.test", "a.test"),
        ("other/a.test", "a.test", None),
        ("./a.test", "a.test", "a.test"),
        ("'*/a.test'", "a.test", "a.test"),
    ],
)
def test_server_and_rule_agree_on_a_host(admits: str, host: str, served: str | None) -> None:
    server = f"{{port: {{number: 80, protocol: HTTP}}, hosts: [{admits}]}}"
    rule = _rule(host.strip("'"), "/p")
    table = _table(rule, gateways=(_gateway(server),))
    assert table == ({served: ["/p"]} if served else {"*": []})


def test_a_gateway_without_rules_answers_404() -> None:
    assert _table() == {"*": []}


def test_a_rule_of_another_namespace_names_the_gateway_in_full() -> None:
    far = virtual_service(
        "{hosts: [a.test], gateways: [default/gw], http: [{match: [{uri: {prefix: /p}}],"
        "route: [{destination: {host: echo}}]}]}",
        namespace="elsewhere",
    )
    near = _rule("a.test", "/q", namespace="elsewhere")
    assert _table(far, near) == {"a.test": ["/p"]}


@pytest.mark.parametrize(
    ("more", "served"),
    [
        (", gateways: [gw]", True),
        (", gateways: [mesh]", False),
        (", port: 80", True),
        (", port: 81", False),
        (", sourceLabels: {app: x}", False),
    ],
)
def test_matches_for_a_gateway(more: str, served: bool) -> None:
    assert _table(_rule("*", "/p", more))["*"] == (["/p"] if served else [])


def test_a_gateway_that_selects_another_proxy_is_not_carried() -> None:
    mesh = world(gateways=(_gateway(selector="{istio: egressgateway}"),))
    assert build_outbound(mesh, GATEWAY).routes == {}
    assert set(build_gateway(mesh, GATEWAY, "127.60.1.1", {}).listeners) == {"probe"}


def test_listeners_stand_at_the_real_port_and_hosts_match_with_any() -> None:
    mesh = world(gateways=(_gateway(),), virtual_services=(_rule("a.test", "/p"),))
    listeners: Any = build_gateway(mesh, GATEWAY, "127.60.1.1", {80: 18080}).listeners
    assert listeners["http.80"]["address"]["socket_address"] == {
        "address": "127.60.1.1",
        "port_value": 18080,
    }
    table: Any = build_outbound(mesh, GATEWAY).routes["http.80"]
    assert table["ignore_port_in_host_matching"] is True
    manager = listeners["http.80"]["filter_chains"][0]["filters"][0]["typed_config"]
    assert manager["rds"]["route_config_name"] == "http.80"
    assert manager["use_remote_address"] is True
    assert [u["upgrade_type"] for u in manager["upgrade_configs"]] == ["websocket"]
