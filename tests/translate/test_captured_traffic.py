"""What a pod's annotations exclude from its sidecar is passed on as bytes, past every rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.model.capture import PREFIX, read_capture
from meshproof.model.pod_network import BYPASS_LISTENER
from meshproof.translate.envoy_config import build_sidecar
from meshproof.translate.relay import BYPASS
from tests.translate import builders
from tests.translate.pod_builders import (
    ADDRESSES,
    CLIENT,
    chains,
    service,
    sidecar,
    target,
    targets,
    world,
)

HTTP = {"transport_protocol": "raw_buffer", "application_protocols": ["http/1.1", "h2c"]}
PASSTHROUGH, RULES = "InboundPassthroughCluster", "routes InboundPassthroughCluster"


def _client(**annotations: str) -> Any:
    capture = read_capture({PREFIX + name: value for name, value in annotations.items()})
    return replace(CLIENT, capture=capture)


def _config(replica: Any) -> Any:
    mesh = world(replicas=(*world().replicas[:2], replica), services=(service("echo"),))
    return sidecar(mesh, replica)


def test_a_sidecar_that_takes_all_has_no_other_way() -> None:
    assert BYPASS_LISTENER not in _config(CLIENT).listeners
    assert not [name for name in _config(CLIENT).clusters if name.startswith(BYPASS)]


def test_what_is_excluded_goes_to_services_outside_hosts_and_pods_without_a_rule() -> None:
    config = _config(_client(excludeOutboundPorts="80"))
    listener = config.listeners[BYPASS_LISTENER]
    assert listener["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 15002}
    assert [f["name"] for f in listener["listener_filters"]] == [
        "envoy.filters.listener.original_dst"
    ]
    echo = f"{BYPASS}outbound|80||echo.default.svc.cluster.local"
    assert [target(chain) for chain in chains(listener)] == [
        echo,
        f"{BYPASS}PassthroughCluster",
        f"{BYPASS}PassthroughCluster",
        f"{BYPASS}PodNetwork",
    ]
    match = chains(listener)[0]["filter_chain_match"]
    assert match["prefix_ranges"][0]["address_prefix"] == ADDRESSES.cluster_ip("default", "echo")
    assert "transport_socket_matches" not in config.clusters[echo]
    own = build_sidecar(world(replicas=(CLIENT,)), _client(excludeOutboundPorts="80"))
    assert echo in own.endpoints


def test_a_declared_port_that_is_excluded_is_reached_with_the_caller_s_address() -> None:
    config = _config(_client(excludeInboundPorts="8080"))
    (chain,) = chains(config.listeners["inbound|8080||"])
    assert target(chain) == "inbound|8080||"
    assert "transport_socket" not in chain
    filters = config.listeners["inbound|8080||"]["listener_filters"]
    assert [f["name"] for f in filters] == ["envoy.filters.listener.original_src"]
    assert "inbound|8080||" not in config.routes
    assert len(chains(_config(CLIENT).listeners["inbound|8080||"])) > 1


@pytest.mark.parametrize(
    ("annotations", "at_9100", "elsewhere"),
    [
        ({"excludeInboundPorts": "9100"}, [({}, PASSTHROUGH)], 5),
        ({"includeInboundPorts": "9100"}, None, 1),
        ({"includeInboundPorts": ""}, [], 1),
    ],
)
def test_undeclared_ports(annotations: dict[str, str], at_9100: Any, elsewhere: int) -> None:
    """Five chains: HTTP and other bytes, by mutual TLS and in plain text, and TLS of an app."""
    replica = _client(**annotations)
    mesh = world(replicas=(replica,))
    rows = [
        ({k: v for k, v in match.items() if k != "destination_port"}, where, match)
        for match, where in targets(mesh, "virtualInbound", replica)
    ]
    own = [(rest, where) for rest, where, match in rows if match.get("destination_port") == 9100]
    if at_9100 is None:
        assert (HTTP, RULES) in own
    else:
        assert own == at_9100
    assert len([match for _, _, match in rows if "destination_port" not in match]) == elsewhere


def test_without_pods_nothing_is_excluded() -> None:
    mesh = builders.world(replicas=(_client(excludeOutboundPorts="80"),))
    assert BYPASS_LISTENER not in build_sidecar(mesh, mesh.replicas[0]).listeners
