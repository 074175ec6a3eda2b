"""Pods without a sidecar: what their relay passes on, and how the others reach them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.translate.envoy_config import build_outbound, build_sidecar, proxy_of
from meshproof.translate.passthrough import POD_NETWORK
from meshproof.translate.world import Config, World
from tests.translate import builders
from tests.translate.pod_builders import CLIENT, ECHO, chains, service, sidecar, target, world
from tests.translate.policy_builders import peer

LONER = replace(CLIENT, sidecar=False)
CLUSTER = "outbound|80||echo.default.svc.cluster.local"
RULE = builders.virtual_service("{hosts: [echo], http: [{directResponse: {status: 555}}]}")
HIDDEN = replace(service("echo"), export_to=("elsewhere",))


def _relay(mesh: World) -> Any:
    shared, own = build_outbound(mesh, proxy_of(LONER)), build_sidecar(mesh, LONER)
    return Config({**shared.clusters, **own.clusters}, shared.endpoints, own.listeners, own.routes)


def _address(service_: Any) -> str:
    return f"{service_.cluster_ip}_80"


@pytest.mark.parametrize("protocol", ["HTTP", "TCP"])
def test_a_service_s_address_leads_to_any_of_its_replicas_as_bytes(protocol: Any) -> None:
    echo = service("echo", protocol=protocol)
    relay = _relay(world(services=(echo,), virtual_services=(RULE,)))
    listener = relay.listeners[_address(echo)]
    assert listener["bind_to_port"] is False
    assert [target(chain) for chain in chains(listener)] == [CLUSTER]
    cluster = relay.clusters[CLUSTER]
    assert cluster["lb_policy"] == "RANDOM"
    assert "transport_socket_matches" not in cluster
    (group,) = relay.endpoints[CLUSTER]["endpoints"]
    assert len(group["lb_endpoints"]) == len(ECHO)
    assert relay.routes == {}


def test_rules_that_hide_a_service_are_rules_of_sidecars() -> None:
    assert _address(HIDDEN) in _relay(world(services=(HIDDEN,))).listeners
    assert "0.0.0.0_80" not in sidecar(world(services=(HIDDEN,))).listeners


def test_what_is_not_ready_gets_nothing() -> None:
    relay = _relay(world(replicas=(replace(ECHO[0], ready=False), LONER)))
    assert relay.endpoints[CLUSTER]["endpoints"] == []


def test_outside_hosts_are_open_and_every_other_address_is_a_pod_s() -> None:
    relay = _relay(world())
    virtual = relay.listeners["virtualOutbound"]
    rows = [(c.get("filter_chain_match", {}), target(c)) for c in chains(virtual)]
    bank = world().addresses["bank.test"]
    assert [
        (m["destination_port"], m["prefix_ranges"][0]["address_prefix"]) for m, _ in rows[:-1]
    ] == [
        (80, bank),
        (443, bank),
    ]
    assert rows[-1] == ({}, POD_NETWORK)
    assert relay.clusters[POD_NETWORK]["type"] == "ORIGINAL_DST"


def test_its_app_sees_the_caller_s_own_address() -> None:
    listener = _relay(world()).listeners["inbound|8080||"]
    assert [f["name"] for f in listener["listener_filters"]] == [
        "envoy.filters.listener.original_src"
    ]
    (chain,) = listener["filter_chains"]
    assert "transport_socket" not in chain


def test_policies_are_not_asked() -> None:
    strict = peer("{mtls: {mode: STRICT}}")
    before = _relay(world()).listeners
    assert _relay(world(peer_authentications=(strict,))).listeners == before


def test_sidecars_call_it_in_plain_text() -> None:
    loner = replace(ECHO[0], sidecar=False)
    assignment = sidecar(world(replicas=(loner, ECHO[1], CLIENT))).endpoints[CLUSTER]
    metadata = [
        e["metadata"]["filter_metadata"] for e in assignment["endpoints"][0]["lb_endpoints"]
    ]
    assert ["envoy.transport_socket_match" in m for m in metadata] == [False, True]
