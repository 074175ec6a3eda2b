"""What a DestinationRule says of a connection itself: timeouts, a hash of its source, a tunnel."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.envoy_config import build_gateway
from tests.translate import builders
from tests.translate.pod_builders import ADDRESSES, chains, service, sidecar, world

DB = f"{ADDRESSES.cluster_ip('default', 'db')}_5432"


def test_a_destination_rule_speaks_for_connections() -> None:
    rule = builders.destination_rule(
        "{host: db, trafficPolicy: {connectionPool: {tcp: {idleTimeout: 5s}},"
        " loadBalancer: {consistentHash: {useSourceIp: true}}}}"
    )
    mesh = world(services=(service("db", 5432, "TCP"),), destination_rules=(rule,))
    (chain,) = chains(sidecar(mesh).listeners[DB])
    proxy = chain["filters"][-1]["typed_config"]
    assert proxy["idle_timeout"] == "5s"
    assert proxy["hash_policy"] == [{"source_ip": {}}]


PROXY_RULE = builders.destination_rule(
    "{host: db2, trafficPolicy: {connectionPool: {tcp: {maxConnectionDuration: 9s}},"
    " tunnel: {targetHost: all.test, targetPort: 1, protocol: POST},"
    " portLevelSettings: [{port: {number: 5432}, connectionPool: {tcp: {idleTimeout: 1s}}}]},"
    " subsets: [{name: bank, trafficPolicy: {tunnel: {targetHost: '2001:db8::1', targetPort: 443},"
    " loadBalancer: {consistentHash: {useSourceIp: true}}}}]}"
)
"""Of the destination: the rule of the host that is called counts for nothing."""


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        (
            "[{destination: {host: db2, subset: bank}}]",
            {
                "tunneling_config": {"hostname": "[2001:db8::1]:443", "use_post": False},
                "hash_policy": [{"source_ip": {}}],
            },
        ),
        (
            "[{destination: {host: db2}}]",
            {"tunneling_config": {"hostname": "all.test:1", "use_post": True}},
        ),
        (
            "[{destination: {host: db2, subset: bank}, weight: 1}, {destination: {host: db}}]",
            {"tunneling_config": {"hostname": "all.test:1", "use_post": True}},
        ),
    ],
    ids=["of a subset", "of the host", "of several destinations"],
)
def test_the_destination_s_rule_speaks_for_connections_of_a_route(
    route: str, fields: dict[str, Any]
) -> None:
    """Istio: core/networkfilter.go. Of several destinations it is the first, without its subset."""
    own = builders.destination_rule(
        "{host: db, trafficPolicy: {connectionPool: {tcp: {idleTimeout: 5s}}}}"
    )
    rule = builders.virtual_service(f"{{hosts: [db], tcp: [{{route: {route}}}]}}", "db")
    mesh = world(
        services=(service("db", 5432, "TCP"), service("db2", 5432, "TCP")),
        destination_rules=(own, PROXY_RULE),
        virtual_services=(rule,),
    )
    (chain,) = chains(sidecar(mesh).listeners[DB])
    proxy = chain["filters"][-1]["typed_config"]
    names = ("idle_timeout", "hash_policy", "tunneling_config")
    assert {name: proxy[name] for name in names if name in proxy} == fields
    assert proxy["max_downstream_connection_duration"] == "9s"


def test_a_gateway_s_tcp_routes_have_it_too() -> None:
    mesh = builders.world(
        services=(service("db2", 5432, "TCP"),),
        destination_rules=(PROXY_RULE,),
        gateways=(
            builders.gateway(
                "{selector: {istio: ingressgateway},"
                " servers: [{port: {number: 5432, name: tcp, protocol: TCP}, hosts: ['*']}]}"
            ),
        ),
        virtual_services=(
            builders.virtual_service(
                "{hosts: ['*'], gateways: [gw],"
                " tcp: [{route: [{destination: {host: db2, subset: bank}}]}]}"
            ),
        ),
    )
    listeners: Any = build_gateway(mesh, builders.GATEWAY, "127.60.1.1", {}).listeners
    (chain,) = next(iter(listeners.values()))["filter_chains"]
    proxy = chain["filters"][-1]["typed_config"]
    assert proxy["tunneling_config"]["hostname"] == "[2001:db8::1]:443"
    assert proxy["hash_policy"] == [{"source_ip": {}}]
