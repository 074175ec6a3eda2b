"""The listeners that take a pod's own connections: which there are, and where each leads.

Names, conflicts and defaults as Istio 1.29.6's buildSidecarOutboundListeners has them.
"""

from __future__ import annotations

from typing import Any

from meshproof.model.sidecar import Sidecar
from meshproof.translate.world import Address, Named, Outside
from tests.translate import builders
from tests.translate.pod_builders import (
    ADDRESSES,
    BANK,
    CLIENT,
    ECHO,
    chains,
    service,
    sidecar,
    targets,
    world,
)

HTTP = {
    "transport_protocol": "raw_buffer",
    "application_protocols": ["http/1.1", "h2c"],
}
BLACK_HOLE: tuple[dict[str, object], str] = ({}, "BlackHoleCluster")
ALLOW_ANY = Named(
    "default",
    "default",
    Sidecar.model_validate({"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}}),
)
HOST = "default.svc.cluster.local"


def _ip(name: str) -> str:
    return ADDRESSES.cluster_ip("default", name)


def _entry(ports: str, more: str = "") -> Any:
    return builders.service_entry(
        f"{{hosts: [bank.test], resolution: DNS, {more} ports: [{ports}]}}"
    )


def test_the_outbound_listener_is_bound_and_hands_connections_to_those_of_their_destination() -> (
    None
):
    listeners = sidecar(world()).listeners
    bound = {n for n, x in listeners.items() if x.get("bind_to_port") is not False}
    assert bound == {"virtualOutbound", "virtualInbound", "probe", "inbound|8080||"}
    virtual = listeners["virtualOutbound"]
    assert virtual["use_original_dst"] is True
    assert virtual["address"] == {"socket_address": {"address": "127.0.0.1", "port_value": 15001}}
    assert targets(world(), "virtualOutbound") == [
        ({"destination_port": 15001}, "BlackHoleCluster"),
        BLACK_HOLE,
    ]
    assert [c["name"] for c in chains(virtual)] == [
        "virtualOutbound-blackhole",
        "virtualOutbound-catchall-tcp",
    ]


def test_http_services_of_a_port_share_a_listener_and_other_bytes_are_closed() -> None:
    mesh = world(services=(service("echo"), service("other")))
    assert targets(mesh, "0.0.0.0_80") == [(HTTP, "routes 80"), BLACK_HOLE]
    assert f"{_ip('echo')}_80" not in sidecar(mesh).listeners


def test_a_tcp_service_has_a_listener_at_its_address_without_an_inspector() -> None:
    mesh = world(services=(service("db", 5432, "TCP"),))
    name = f"{_ip('db')}_5432"
    assert targets(mesh, name) == [({}, f"outbound|5432||db.{HOST}")]
    assert sidecar(mesh).listeners[name]["listener_filters"] == []


def test_a_port_without_a_protocol_is_recognised_and_has_a_table_of_its_own() -> None:
    mesh = world(services=(service("raw", 7000, sniffed=True),))
    config = sidecar(mesh)
    name = f"{_ip('raw')}_7000"
    assert targets(mesh, name) == [
        (HTTP, f"routes raw.{HOST}:7000"),
        ({}, f"outbound|7000||raw.{HOST}"),
    ]
    (virtual_host,) = config.routes[f"raw.{HOST}:7000"]["virtual_hosts"]
    assert virtual_host["domains"] == ["*"]
    assert "7000" not in config.routes
    filters = config.listeners[name]["listener_filters"]
    assert [f["name"] for f in filters] == ["envoy.filters.listener.http_inspector"]


def test_its_bytes_are_announced_as_bytes_to_the_server_s_sidecar() -> None:
    mesh = world(services=(service("raw", 7000, sniffed=True),))
    raw = sidecar(mesh).listeners[f"{_ip('raw')}_7000"]["default_filter_chain"]
    (state,) = raw["filters"][0]["typed_config"]["on_new_connection"]
    assert state["object_key"] == "envoy.network.application_protocols"
    assert "http" not in state["format_string"]["text_format_source"]["inline_string"]


def test_a_headless_tcp_service_has_a_listener_for_each_pod_but_the_caller_s() -> None:
    mesh = world(services=(service("db", 8080, "TCP", headless=True),))
    names = {n for n in sidecar(mesh, ECHO[0]).listeners if n.endswith("_8080")}
    assert names == {f"{ECHO[1].ip}_8080"}
    (chain,) = chains(sidecar(mesh).listeners[f"{ECHO[0].ip}_8080"])
    proxy = chain["filters"][-1]["typed_config"]
    assert proxy["metadata_match"]["filter_metadata"]["envoy.lb"] == {"pod": ECHO[0].ip}
    (group,) = sidecar(mesh).endpoints[proxy["cluster"]]["endpoints"]
    pods = [e["metadata"]["filter_metadata"]["envoy.lb"]["pod"] for e in group["lb_endpoints"]]
    assert pods == [r.ip for r in ECHO]


def test_tls_of_a_host_without_an_address_is_told_apart_by_its_name() -> None:
    mesh = world(service_entries=(_entry("{number: 443, name: tls, protocol: TLS}"),))
    assert targets(mesh, "0.0.0.0_443") == [
        ({"server_names": ["bank.test"]}, "outbound|443||bank.test"),
        BLACK_HOLE,
    ]
    (inspector,) = sidecar(mesh).listeners["0.0.0.0_443"]["listener_filters"]
    assert inspector["name"] == "envoy.filters.listener.tls_inspector"


def test_tls_of_a_host_with_an_address_goes_by_the_address() -> None:
    entry = _entry("{number: 443, name: tls, protocol: TLS}", "addresses: [10.1.2.3],")
    assert targets(world(service_entries=(entry,)), "10.1.2.3_443") == [
        ({}, "outbound|443||bank.test")
    ]


def test_a_block_of_addresses_is_matched_by_the_chain() -> None:
    entry = _entry("{number: 9000, name: tcp, protocol: TCP}")
    spec = entry.spec.model_copy(update={"addresses": ["10.1.0.0/16"]})
    entry = Named(entry.name, entry.namespace, spec)
    block = {"prefix_ranges": [{"address_prefix": "10.1.0.0", "prefix_len": 16}]}
    assert targets(world(service_entries=(entry,)), "0.0.0.0_9000") == [
        (block, "outbound|9000||bank.test"),
        BLACK_HOLE,
    ]


def test_of_a_block_without_resolution_each_declared_address_leads_to_itself() -> None:
    entry = _entry("{number: 9000, name: tcp, protocol: TCP}")
    more = {"addresses": ["10.1.0.0/16", "10.9.0.1"], "resolution": "NONE"}
    entry = Named(entry.name, entry.namespace, entry.spec.model_copy(update=more))
    addresses = ("10.1.0.7", "10.1.0.8", "10.2.0.1", "10.9.0.1")
    outside = tuple(
        Outside(a, {9000: Address("127.0.0.1", 1)}, {9000: f"/run/o{a}"}) for a in addresses
    )
    mesh = world(service_entries=(entry,), outside=outside)
    rows = chains(sidecar(mesh).listeners["0.0.0.0_9000"])
    assert [_picked(chain) for chain in rows] == ["10.1.0.7", "10.1.0.8", None]
    assert [r["address_prefix"] for c in rows[:2] for r in _ranges(c)] == ["10.1.0.7", "10.1.0.8"]
    (single,) = chains(sidecar(mesh).listeners["10.9.0.1_9000"])
    assert _picked(single) == "10.9.0.1"
    cluster = sidecar(mesh).clusters["outbound|9000||bank.test"]
    assert cluster["lb_subset_config"]["subset_selectors"] == [{"keys": ["pod"]}]


def _picked(chain: Any) -> Any:
    config = chain["filters"][-1]["typed_config"]
    return (
        config.get("metadata_match", {}).get("filter_metadata", {}).get("envoy.lb", {}).get("pod")
    )


def _ranges(chain: Any) -> Any:
    return chain["filter_chain_match"]["prefix_ranges"]


def test_tcp_routes_choose_by_the_address_that_a_connection_is_for() -> None:
    db = service("db", 5432, "TCP")
    rule = builders.virtual_service(
        "{hosts: [db], tcp: ["
        "{match: [{destinationSubnets: [10.1.0.0/16]}, {destinationSubnets: [10.2.0.1]}],"
        " route: [{destination: {host: echo}}]},"
        "{match: [{destinationSubnets: [10.3.0.0/16], port: 1}],"
        " route: [{destination: {host: a}}]},"
        "{match: [{port: 5432}], route: [{destination: {host: other}}]}]}"
    )
    mesh = world(services=(service("echo"), db), virtual_services=(rule,))
    prefixes = [
        {"address_prefix": "10.1.0.0", "prefix_len": 16},
        {"address_prefix": "10.2.0.1", "prefix_len": 32},
    ]
    assert targets(mesh, f"{_ip('db')}_5432") == [
        ({"prefix_ranges": prefixes}, f"outbound|80||echo.{HOST}"),
        ({}, f"outbound|5432||other.{HOST}"),
    ]


def test_without_a_route_for_every_address_the_host_itself_has_the_rest() -> None:
    rule = builders.virtual_service(
        "{hosts: [db], tcp: [{match: [{destinationSubnets: [10.1.0.0/16]}],"
        " route: [{destination: {host: echo}}]}]}"
    )
    mesh = world(services=(service("db", 5432, "TCP"),), virtual_services=(rule,))
    assert targets(mesh, f"{_ip('db')}_5432")[1] == ({}, f"outbound|5432||db.{HOST}")


def test_tls_routes_choose_by_address_too() -> None:
    entry = _entry("{number: 443, name: tls, protocol: TLS}")
    rule = builders.virtual_service(
        "{hosts: [bank.test], tls: ["
        "{match: [{sniHosts: [bank.test], destinationSubnets: [10.1.0.0/16]}],"
        " route: [{destination: {host: echo}}]}]}"
    )
    (match, cluster), _rest = targets(
        world(service_entries=(entry,), virtual_services=(rule,)), "0.0.0.0_443"
    )
    assert match == {
        "server_names": ["bank.test"],
        "prefix_ranges": [{"address_prefix": "10.1.0.0", "prefix_len": 16}],
    }
    assert cluster == f"outbound|80||echo.{HOST}"


def test_tls_routes_choose_by_sni_and_split() -> None:
    entry = _entry("{number: 443, name: tls, protocol: TLS}")
    rule = builders.virtual_service(
        "{hosts: [bank.test], tls: ["
        "{match: [{port: 443, sniHosts: [bank.test]}], route: ["
        "{destination: {host: bank.test}, weight: 90}, {destination: {host: echo}, weight: 10}]},"
        "{match: [{port: 444, sniHosts: [bank.test]}], route: [{destination: {host: echo}}]}]}"
    )
    mesh = world(service_entries=(entry,), virtual_services=(rule,))
    assert targets(mesh, "0.0.0.0_443") == [
        (
            {"server_names": ["bank.test"]},
            f"outbound|443||bank.test=90 outbound|80||echo.{HOST}=10",
        ),
        BLACK_HOLE,
    ]


def test_a_tcp_route_moves_a_tcp_port() -> None:
    rule = builders.virtual_service(
        "{hosts: [db], tcp: [{match: [{port: 5432}], route: [{destination: {host: db2}}]}]}", "db"
    )
    services = (service("db", 5432, "TCP"), service("db2", 5432, "TCP"))
    mesh = world(services=services, virtual_services=(rule,))
    assert targets(mesh, f"{_ip('db')}_5432") == [({}, f"outbound|5432||db2.{HOST}")]


def test_bytes_and_http_on_one_port_share_the_listener() -> None:
    """TCPOverAuto: the bytes of an entry without an address take what is not HTTP."""
    entry = _entry("{number: 80, name: tcp, protocol: TCP}")
    mesh = world(service_entries=(entry,))
    assert targets(mesh, "0.0.0.0_80") == [(HTTP, "routes 80"), ({}, "outbound|80||bank.test")]


def test_allow_any_opens_declared_hosts_at_their_addresses_and_the_pods_network() -> None:
    mesh = world(sidecars=(ALLOW_ANY,))
    address = {"address_prefix": ADDRESSES.outside("bank.test"), "prefix_len": 32}
    at_bank = {"prefix_ranges": [address]}
    assert targets(mesh, "virtualOutbound") == [
        ({"destination_port": 15001}, "BlackHoleCluster"),
        ({**at_bank, "destination_port": 80}, "PassthroughCluster"),
        ({**at_bank, "destination_port": 443}, "PassthroughCluster"),
        ({}, "PodNetwork"),
    ]
    assert targets(mesh, "0.0.0.0_80") == [
        (HTTP, "routes 80"),
        ({**at_bank, **HTTP}, "routes 80"),
        (at_bank, "PassthroughCluster"),
        ({}, "PodNetwork"),
    ]
    members = sidecar(mesh).clusters["PassthroughCluster"]["load_assignment"]["endpoints"]
    paths = [m["endpoint"]["address"]["pipe"]["path"] for m in members[0]["lb_endpoints"]]
    assert paths == [BANK.pipes[80], BANK.pipes[443]]


def test_what_goes_to_an_original_destination_is_not_captured_once_more() -> None:
    """Outbound it goes into the mesh's network, by the bootstrap's bind; inbound to the pod's own
    address."""
    mesh = world(services=(service("db", 8080, "TCP", headless=True), service("echo")))
    originals = [c for c in sidecar(mesh, CLIENT).clusters.values() if c["type"] == "ORIGINAL_DST"]
    assert [c["name"] for c in originals] == ["InboundPassthroughCluster"]
    assert originals[0]["upstream_bind_config"]["source_address"]["address"] == "127.0.0.6"
