"""A pod's ports that nothing declares: ``virtualInbound``, in the modes of PeerAuthentication.

Expected chains are those of Istio 1.29.6 (buildInboundPassthroughChains, getFilterChainMatchOptions
and populateListenerFilters of pilot/pkg/networking/core), written down by hand.
"""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.envoy_config import build_outbound, build_sidecar, proxy_of
from meshproof.translate.world import World
from tests.translate.pod_builders import CLIENT, ECHO, sidecar, target, targets, world
from tests.translate.policy_builders import policy, rule

RAW = {"transport_protocol": "raw_buffer"}
HTTP = {**RAW, "application_protocols": ["http/1.1", "h2c"]}
MESH_HTTP = {
    "transport_protocol": "tls",
    "application_protocols": ["istio-http/1.0", "istio-http/1.1", "istio-h2"],
}
MESH_BYTES = {
    "transport_protocol": "tls",
    "application_protocols": ["istio-peer-exchange", "istio"],
}
TLS = {"transport_protocol": "tls"}
ROUTES, BYTES = "routes InboundPassthroughCluster", "InboundPassthroughCluster"
OWN_PORT = ({"destination_port": 15006}, "BlackHoleCluster")
CHAINS: dict[str, list[tuple[Any, str]]] = {
    "PERMISSIVE": [
        (MESH_HTTP, ROUTES),
        (MESH_BYTES, BYTES),
        (HTTP, ROUTES),
        (RAW, BYTES),
        (TLS, BYTES),
    ],
    "STRICT": [(MESH_HTTP, ROUTES), (TLS, BYTES)],
    "DISABLE": [(HTTP, ROUTES), (RAW, BYTES)],
}


def modes(text: str) -> World:
    selector = "selector: {matchLabels: {app: echo}}, "
    own = rule("PeerAuthentication", f"{{{selector}{text}}}")
    return world(peer_authentications=(own,))


def listener(mesh: World) -> Any:
    return sidecar(mesh, ECHO[0]).listeners["virtualInbound"]


@pytest.mark.parametrize("mode", CHAINS)
def test_each_mode_takes_what_it_takes_on_a_port_without_a_protocol(mode: str) -> None:
    mesh = modes(f"mtls: {{mode: {mode}}}")
    assert targets(mesh, "virtualInbound", ECHO[0]) == [OWN_PORT, *CHAINS[mode]]


def test_a_port_of_its_own_mode_has_its_own_chains_and_a_declared_one_none() -> None:
    mesh = modes("mtls: {mode: DISABLE}, portLevelMtls: {'9000': {mode: STRICT}, '8080': {}}")
    strict = [({**match, "destination_port": 9000}, to) for match, to in CHAINS["STRICT"]]
    assert targets(mesh, "virtualInbound", ECHO[0]) == [OWN_PORT, *CHAINS["DISABLE"], *strict]


def inspectors(mesh: World) -> list[tuple[str, Any]]:
    filters = listener(mesh)["listener_filters"]
    return [(f["name"].rpartition(".")[2], f.get("filter_disabled")) for f in filters]


def at(port: int) -> Any:
    return {"destination_port_range": {"start": port, "end": port + 1}}


@pytest.mark.parametrize(
    ("text", "tls", "http"),
    [
        ("mtls: {mode: PERMISSIVE}", at(15006), at(15006)),
        (
            "mtls: {mode: DISABLE}, portLevelMtls: {'9000': {mode: STRICT}}",
            {"not_match": at(9000)},
            {"or_match": {"rules": [at(9000), at(15006)]}},
        ),
        (
            "mtls: {mode: STRICT}, portLevelMtls: {'9000': {mode: DISABLE}}",
            {"or_match": {"rules": [at(9000), at(15006)]}},
            {"not_match": at(9000)},
        ),
    ],
)
def test_only_ports_that_ask_for_it_are_inspected(text: str, tls: Any, http: Any) -> None:
    """A server that speaks first would else wait for ever."""
    assert inspectors(modes(text)) == [
        ("original_dst", None),
        ("tls_inspector", tls),
        ("http_inspector", http),
    ]


def test_it_goes_to_the_port_that_it_was_for() -> None:
    cluster = sidecar(world(), ECHO[0]).clusters["InboundPassthroughCluster"]
    assert (cluster["type"], cluster["lb_policy"]) == ("ORIGINAL_DST", "CLUSTER_PROVIDED")
    address = listener(world())["address"]["socket_address"]
    assert (address["address"], address["port_value"]) == (ECHO[0].ip, 15006)
    assert address["network_namespace_filepath"]


def test_policies_see_the_port_of_the_connection() -> None:
    denial = policy("{action: DENY, rules: [{to: [{operation: {ports: ['7070']}}]}]}")
    config = sidecar(world(authorization_policies=(denial,)), ECHO[0])
    bytes_chain = next(
        c for c in config.listeners["virtualInbound"]["filter_chains"] if target(c) == BYTES
    )
    table = config.routes["InboundPassthroughCluster"]
    for rules in (bytes_chain["filters"][0], table["typed_per_filter_config"]):
        assert "{'destination_port': 7070}" in str(rules)
    assert "destination_port" not in str(config.routes["inbound|8080||"])


def test_a_port_of_a_sidecars_ingress_that_nothing_else_declares_is_its_own() -> None:
    text = """
    ingress:
    - {port: {number: 9090, name: raw, protocol: TCP}, defaultEndpoint: '127.0.0.1:9091'}
    - {port: {number: 8081, name: web, protocol: HTTP}}
    """
    mesh = world(sidecars=(rule("Sidecar", text),))
    rows = targets(mesh, "virtualInbound", ECHO[0])
    assert {to for match, to in rows if match.get("destination_port") == 9090} == {"inbound|9090||"}
    assert {to for match, to in rows if match.get("destination_port") == 8081} == {
        "routes inbound|8081||"
    }
    clusters = sidecar(mesh, ECHO[0]).clusters
    members = clusters["inbound|9090||"]["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert members[0]["endpoint"]["address"]["socket_address"]["address"] == "127.0.0.1"


def test_without_pods_only_declared_ports_are_reached() -> None:
    mesh = world(pods=False)
    assert "virtualInbound" not in build_sidecar(mesh, ECHO[0]).listeners


def test_under_allow_any_an_http_port_passes_unknown_hosts_on_to_their_address() -> None:
    own = rule("Sidecar", "outboundTrafficPolicy: {mode: ALLOW_ANY}")
    config: Any = build_outbound(world(sidecars=(own,)), proxy_of(CLIENT))
    *_, others = config.routes["80"]["virtual_hosts"]
    assert (others["name"], others["domains"]) == ("allow_any", ["*"])
    assert others["routes"][0]["route"] == {"cluster": "PodNetwork", "timeout": "0s"}
    assert config.clusters["PodNetwork"]["type"] == "ORIGINAL_DST"
    assert "PodNetwork" not in build_outbound(world(), proxy_of(CLIENT)).clusters


def test_a_policy_replaces_no_listener_of_a_declared_port() -> None:
    """Else each change of one waits for connections to drain."""
    mesh = world()
    ruled = world(authorization_policies=(policy("{action: DENY, rules: [{}]}"),))
    before, after = (sidecar(m, ECHO[0]) for m in (mesh, ruled))
    assert before.routes != after.routes
    assert set(before.listeners) == set(after.listeners)
    changed = {n for n, text in before.listeners.items() if after.listeners[n] != text}
    assert changed <= {"virtualInbound"}
