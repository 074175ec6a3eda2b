from __future__ import annotations

import json
from pathlib import Path

from bench.bare import envoy_host
from meshproof.embedded.pod.envoy_binary import validate


def test_envoy_takes_the_configuration(tmp_path: Path) -> None:
    host = envoy_host(tmp_path, "svca", {18101: 18102, 18103: 18104})
    path = tmp_path / "svca.json"
    assert str(path) in (host.command or [])
    assert validate(path) == ""


def test_each_way_leads_to_its_own_port(tmp_path: Path) -> None:
    host = envoy_host(tmp_path, "svca", {18101: 18102, 18103: 18104})
    address = host.ports[80]
    assert address is not None
    assert address.port == 18101
    resources = json.loads((tmp_path / "svca.json").read_text())["static_resources"]
    ways = {}
    for listener in resources["listeners"]:
        (chain,) = listener["filter_chains"]
        (host_,) = chain["filters"][0]["typed_config"]["route_config"]["virtual_hosts"]
        port = listener["address"]["socket_address"]["port_value"]
        ways[port] = int(host_["routes"][0]["route"]["cluster"])
    assert ways == {18101: 18102, 18103: 18104}
