"""AuthorizationPolicies on TCP ports and on gateways: where their filters and rules are put."""

from __future__ import annotations

from typing import Any

from meshproof.translate.envoy_config import build_gateway, build_outbound, build_sidecar
from tests.translate import builders
from tests.translate.builders import ECHO, GATEWAY, service, virtual_service, world
from tests.translate.policy_builders import ROOT, policy
from tests.translate.test_rbac import ALL_OF_ANYTHING, KEY, NAME


def _network(text: str) -> Any:
    """The policies of the first filter on a port of bytes."""
    config = build_sidecar(
        world(services=(service("echo", protocol="TCP"),), authorization_policies=(policy(text),)),
        ECHO[0],
    )
    chains: Any = config.listeners[NAME]["filter_chains"]
    first = chains[0]["filters"][0]
    assert first["name"] == "envoy.filters.network.rbac"
    assert chains[0]["filters"][-1]["name"] == "envoy.filters.network.tcp_proxy"
    return first["typed_config"]["rules"]["policies"]


def test_on_a_port_of_bytes_an_allow_rule_about_http_is_left_out() -> None:
    rules = "[{to: [{operation: {methods: [GET]}}]}, {from: [{source: {namespaces: [a]}}]}]"
    assert list(_network(f"{{rules: {rules}}}")) == ["ns[default]-policy[p]-rule[1]"]


def test_on_a_port_of_bytes_a_denial_keeps_what_is_not_about_http() -> None:
    rule = "{to: [{operation: {methods: [GET]}}], from: [{source: {namespaces: [a]}}]}"
    result = _network(f"{{action: DENY, rules: [{rule}]}}")[KEY]
    assert result["permissions"] == ALL_OF_ANYTHING
    assert len(result["principals"]) == 1


def test_a_gateway_s_policies_are_on_its_routes() -> None:
    mesh = world(
        authorization_policies=(
            policy("{selector: {matchLabels: {istio: ingressgateway}}}", namespace=ROOT),
        ),
        gateways=(
            builders.gateway(
                "{selector: {istio: ingressgateway},"
                " servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}"
            ),
        ),
        virtual_services=(
            virtual_service(
                "{hosts: ['*'], gateways: [gw], http: [{route: [{destination: {host: echo}}]}]}"
            ),
        ),
    )
    table: Any = build_outbound(mesh, GATEWAY).routes["http.80"]
    assert "envoy.filters.http.rbac.allow" in table["typed_per_filter_config"]
    listener: Any = build_gateway(mesh, GATEWAY, "127.60.1.1", {}).listeners["http.80"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert [f["name"] for f in manager["http_filters"]][:3] == [
        f"envoy.filters.http.rbac.{action}" for action in ("audit", "deny", "allow")
    ]
