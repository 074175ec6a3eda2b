"""A pod's sidecar and the networks around it: where it listens, and how each side is reached."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.model import pod_network
from meshproof.translate.bootstrap import build_bootstrap
from meshproof.translate.envoy_config import build_gateway, build_outbound
from tests.translate import builders
from tests.translate.pod_builders import BANK, ECHO, chains, service, sidecar, targets, world
from tests.translate.policy_builders import peer

INBOUND = "inbound|8080||"
INGRESS = replace(builders.GATEWAY, workload="istio-ingressgateway")
CLUSTER = "outbound|80||echo.default.svc.cluster.local"


def _members(config: Any, cluster: str) -> list[Any]:
    assignment = config.endpoints.get(cluster) or config.clusters[cluster]["load_assignment"]
    return [e["endpoint"]["address"] for g in assignment["endpoints"] for e in g["lb_endpoints"]]


def test_it_listens_for_peers_in_the_mesh_s_network_and_for_proxies_beyond_on_a_socket() -> None:
    listener = sidecar(world(), ECHO[0]).listeners[INBOUND]
    assert listener["address"] == {
        "socket_address": {
            "address": ECHO[0].ip,
            "port_value": 8080,
            "network_namespace_filepath": pod_network.MESH_NAMESPACE,
        }
    }
    (other,) = listener["additional_addresses"]
    assert other == {"address": {"pipe": {"path": ECHO[0].ports[0].pipe}}}


def test_its_app_sees_its_own_sidecar_as_the_caller() -> None:
    cluster = sidecar(world(), ECHO[0]).clusters[INBOUND]
    source = cluster["upstream_bind_config"]["source_address"]
    assert source == {"address": "127.0.0.6", "port_value": 0}


def test_peers_are_called_from_the_pod_s_address_in_the_mesh_s_network() -> None:
    bootstrap = build_bootstrap(
        "n", "c", {}, "x", "z", "a", source_ip="127.60.1.1", mesh_namespace="/proc/self/fd/100"
    )
    source = bootstrap["cluster_manager"]["upstream_bind_config"]["source_address"]
    assert source == {
        "address": "127.60.1.1",
        "port_value": 0,
        "network_namespace_filepath": "/proc/self/fd/100",
    }
    assert "cluster_manager" not in build_bootstrap("n", "c", {}, "x", "z", "a")


def test_its_probe_is_a_socket_of_the_host_s() -> None:
    assert sidecar(world(), ECHO[0]).listeners["probe"]["address"] == {
        "pipe": {"path": ECHO[0].probe}
    }


def test_sidecars_meet_by_address_and_a_gateway_comes_by_socket() -> None:
    mesh = world()
    assert _members(sidecar(mesh), CLUSTER) == [
        {"socket_address": {"address": r.ip, "port_value": 8080}} for r in ECHO
    ]
    gateway = build_outbound(mesh, builders.GATEWAY)
    assert _members(gateway, CLUSTER) == [{"pipe": {"path": r.ports[0].pipe}} for r in ECHO]


def test_the_way_out_leads_through_the_gateway_to_the_real_address() -> None:
    entry = "{hosts: [bank.test], resolution: DNS, ports: [{number: 443, name: t, protocol: TLS}]}"
    mesh = world(service_entries=(builders.service_entry(entry),))
    assert _members(sidecar(mesh), "outbound|443||bank.test") == [{"pipe": {"path": "/run/o0:443"}}]
    gateway = build_gateway(mesh, INGRESS, "127.60.9.1", {})
    listener = gateway.listeners["outside|443||bank.test"]
    assert listener["address"] == {"pipe": {"path": "/run/o0:443"}}
    assert _members(gateway, "outside|443||bank.test") == [
        {"socket_address": {"address": "127.0.0.1", "port_value": 4430}}
    ]


def test_aliases_of_a_host_share_its_ways_out() -> None:
    alias = type(BANK)("alias.test", BANK.ports, BANK.pipes)
    gateway = build_gateway(world(outside=(BANK, alias)), INGRESS, "127.60.9.1", {})
    ways = sorted(n for n in gateway.listeners if n.startswith("outside"))
    assert ways == ["outside|443||bank.test", "outside|80||bank.test"]
    other = build_gateway(world(), builders.GATEWAY, "127.60.9.2", {})
    assert not [n for n in other.listeners if n.startswith("outside")], "a socket has one owner"


def test_without_pods_nothing_of_this_is_there() -> None:
    mesh = world(pods=False)
    config = sidecar(mesh, ECHO[0])
    assert "outbound" in config.listeners
    assert "virtualOutbound" not in config.listeners
    gateway = build_outbound(mesh, builders.GATEWAY)
    assert "socket_address" in _members(gateway, CLUSTER)[0]


def _sniffed(mode: str) -> list[tuple[list[str], str, bool]]:
    """Of each inbound chain: the protocols it matches, where it leads, whether it ends TLS."""
    mesh = world(
        services=(service("raw", 7000, sniffed=True),),
        peer_authentications=(peer(f"mtls: {{mode: {mode}}}"),),
    )
    rows = targets(mesh, INBOUND, ECHO[0])
    sockets = ["transport_socket" in c for c in chains(sidecar(mesh, ECHO[0]).listeners[INBOUND])]
    return [
        (match.get("application_protocols", [match["transport_protocol"]]), to, socket)
        for (match, to), socket in zip(rows, sockets, strict=True)
    ]


HTTP_OVER_MESH = ["istio-http/1.0", "istio-http/1.1", "istio-h2"]
BYTES_OVER_MESH = ["istio-peer-exchange", "istio"]
PLAIN_HTTP = ["http/1.1", "h2c"]
TABLE = f"routes {INBOUND}"


def test_a_port_without_a_protocol_tells_http_from_bytes_in_every_mode() -> None:
    """As core/filterchain_options.go lists them for ListenerProtocolAuto."""
    assert _sniffed("PERMISSIVE") == [
        (HTTP_OVER_MESH, TABLE, True),
        (BYTES_OVER_MESH, INBOUND, True),
        (PLAIN_HTTP, TABLE, False),
        (["raw_buffer"], INBOUND, False),
        (["tls"], INBOUND, False),
    ]
    assert _sniffed("STRICT") == [(HTTP_OVER_MESH, TABLE, True), (["tls"], INBOUND, True)]
    assert _sniffed("DISABLE") == [(PLAIN_HTTP, TABLE, False), (["raw_buffer"], INBOUND, False)]


@pytest.mark.parametrize(
    ("mode", "sniffed", "inspectors"),
    [
        ("PERMISSIVE", True, ["tls_inspector", "http_inspector"]),
        ("STRICT", True, ["tls_inspector"]),
        ("DISABLE", True, ["http_inspector"]),
        ("PERMISSIVE", False, ["tls_inspector"]),
        ("DISABLE", False, []),
    ],
)
def test_only_what_a_chain_asks_for_is_inspected(
    mode: str, sniffed: bool, inspectors: list[str]
) -> None:
    """Without an inspector the app's own TLS is bytes like any other (populateListenerFilters)."""
    mesh = world(
        services=(service("raw", 7000, sniffed=sniffed),),
        peer_authentications=(peer(f"mtls: {{mode: {mode}}}"),),
    )
    filters = sidecar(mesh, ECHO[0]).listeners[INBOUND].get("listener_filters", [])
    assert [f["name"].rpartition(".")[2] for f in filters] == inspectors
