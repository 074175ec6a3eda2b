"""Listeners that patches add, and filters that name their configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.embedded.patches import find_unmatched
from meshproof.model.reader import read_text
from meshproof.translate.world import Named
from tests.envoy_filters.patch_builders import HCM, envoy_filter, gateway, sidecar
from tests.translate import builders

TYPES = "type.googleapis.com/envoy.extensions.filters"
LISTENER = """
applyTo: LISTENER
match: {context: %s}
patch:
  operation: ADD
  value: {name: added, address: {socket_address: {address: 0.0.0.0, port_value: 8090}}}
"""
NAMED = """
applyTo: HTTP_FILTER
match: {context: SIDECAR_INBOUND}
patch:
  operation: INSERT_FIRST
  value: {name: tag, config_discovery: {config_source: {ads: {}}, type_urls: [x]%s}}
"""
LUA = f"""
applyTo: EXTENSION_CONFIG
patch:
  operation: ADD
  value: {{name: tag, typed_config: {{"@type": {TYPES}.http.lua.v3.Lua, inline_code: "%s"}}}}
"""
TCP = """
applyTo: NETWORK_FILTER
match: {context: SIDECAR_INBOUND}
patch:
  operation: INSERT_FIRST
  value: {name: gate, config_discovery: {config_source: {ads: {}}, type_urls: [x]}}
"""


@pytest.mark.parametrize(
    ("context", "of_sidecar", "of_gateway"),
    [
        ("ANY", True, True),
        ("SIDECAR_INBOUND", True, False),
        ("SIDECAR_OUTBOUND", True, False),
        ("GATEWAY", False, True),
        ("WAYPOINT", False, False),
    ],
)
def test_the_proxies_that_a_listener_is_for(
    context: str, of_sidecar: bool, of_gateway: bool
) -> None:
    rule = envoy_filter(LISTENER % context, namespace="istio-system")
    assert ("added" in sidecar(rule).listeners) is of_sidecar
    assert ("added" in gateway(rule, proxy=builders.GATEWAY).listeners) is of_gateway


def _address(config: Any) -> str:
    address: str = config.listeners["added"]["address"]["socket_address"]["address"]
    return address


def test_where_it_listens() -> None:
    """Without a network of its own a proxy has one address on this machine."""
    rule = envoy_filter(LISTENER % "ANY", namespace="istio-system")
    assert _address(sidecar(rule)) == "127.60.0.1"
    assert _address(gateway(rule, proxy=builders.GATEWAY)) == "127.60.1.1"


def _filter(*patches: str, name: str = "tag") -> Any:
    listener = sidecar(*(envoy_filter(p, str(i)) for i, p in enumerate(patches))).listeners[
        "inbound|8080||"
    ]
    for entry in listener["filter_chains"][0]["filters"]:
        if entry["name"] == name:
            return entry
        if entry["name"] == HCM:
            (result,) = [f for f in entry["typed_config"]["http_filters"] if f["name"] == name]
            return result
    return None


def test_a_filter_has_the_first_configuration_of_its_name() -> None:
    other = LUA.replace("name: tag", "name: other") % "wrong"
    entry = _filter(NAMED % "", other, LUA % "first", LUA % "second")
    assert "config_discovery" not in entry
    assert entry["typed_config"]["inline_code"] == "first"


def test_a_filter_without_one_has_its_default_or_lets_nothing_pass() -> None:
    default = f', default_config: {{"@type": {TYPES}.http.lua.v3.Lua, inline_code: d}}'
    assert _filter(NAMED % default)["typed_config"]["inline_code"] == "d"
    failing = _filter(NAMED % "")["typed_config"]
    assert failing["abort"]["http_status"] == 500
    closing = _filter(TCP, name="gate")["typed_config"]
    assert closing["@type"].endswith("network.rbac.v3.RBAC")
    assert closing["rules"] == {"action": "ALLOW"}  # and nobody who is allowed


HEAD = """apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f, namespace: default}
spec:
  configPatches:
"""


@pytest.mark.parametrize(
    ("patches", "field", "message"),
    [
        ([NAMED % ""], "spec.configPatches[0].patch.value", "no EXTENSION_CONFIG is named tag"),
        ([LUA % "unused"], "spec.configPatches[0].match", "matches no EXTENSION_CONFIG"),
        ([NAMED % "", LUA % "code"], "", ""),
    ],
)
def test_what_matches_nothing_or_lets_nothing_pass_is_a_warning(
    patches: list[str], field: str, message: str
) -> None:
    rows = ["    " + "\n    ".join(p.strip().splitlines()) for p in patches]
    text = HEAD + "\n".join(f"  - {row.strip()}" for row in rows) + "\n"
    (resource,) = read_text(text, "f.yaml")
    named = Named(resource.name, resource.namespace, resource.spec)
    mesh = replace(builders.world(), envoy_filters=(named,))
    problems = list(find_unmatched(mesh, (), [resource]))
    assert [p.field for p in problems] == ([field] if field else [])
    assert all(message in p.found for p in problems)
