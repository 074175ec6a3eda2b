"""EnvoyFilters and WasmPlugins that Istio's webhook and CRD refuse, and what they take."""

from __future__ import annotations

import pytest

from tests.model.validation.judge import check, judge

MANAGER = "envoy.filters.network.http_connection_manager"
NETWORK = "match: {listener: {filterChain: {filter: FILTER}}}"


def patch(fields: str) -> str:
    return f"{{configPatches: [{{{fields}}}]}}"


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ("patch: {operation: REMOVE}", ".applyTo", "missing"),
        ("applyTo: CLUSTER", ".patch", "missing"),
        ("applyTo: CLUSTER, patch: {value: {}}", ".patch.operation", "missing"),
        ("applyTo: CLUSTER, patch: {operation: ADD}", ".patch.value", "missing"),
        ("applyTo: CLUSTER, match: {listener: {}}, patch: {operation: REMOVE}", ".match.listener",
         "applyTo is CLUSTER"),
        ("applyTo: CLUSTER, match: {waypoint: {}}, patch: {operation: REMOVE}", ".match",
         "another context"),
        ("applyTo: CLUSTER, match: {proxy: {proxyVersion: '('}}, patch: {operation: REMOVE}",
         ".match.proxy.proxyVersion", "RE2"),
        (f"applyTo: HTTP_FILTER, {NETWORK.replace('FILTER', '{}')}, patch: {{operation: REMOVE}}",
         ".match.listener.filterChain.filter.name", "missing"),
        (f"applyTo: NETWORK_FILTER, {NETWORK.replace('FILTER', '{name: a, subFilter: {name: b}}')}"
         ", patch: {operation: REMOVE}", ".match.listener.filterChain.filter.subFilter",
         "NETWORK_FILTER"),
        (f"applyTo: HTTP_FILTER, {NETWORK.replace('FILTER', '{name: a, subFilter: {name: b}}')}"
         ", patch: {operation: REMOVE}", ".match.listener.filterChain.filter.name", "no more"),
    ],
)  # fmt: skip
def test_a_patch(fields: str, field: str, message: str) -> None:
    check("EnvoyFilter", patch(fields), f"configPatches[0]{field}", message)


@pytest.mark.parametrize(
    "fields",
    [
        "applyTo: CLUSTER, patch: {operation: ADD, value: {name: a}}",
        "applyTo: CLUSTER, match: {context: WAYPOINT, waypoint: {}}, patch: {operation: REMOVE}",
        f"applyTo: HTTP_FILTER, "
        f"{NETWORK.replace('FILTER', f'{{name: {MANAGER}, subFilter: {{name: a}}}}')}"
        ", patch: {operation: REMOVE}",
        "applyTo: BOOTSTRAP, patch: {operation: MERGE, value: {}}",
    ],
)
def test_a_patch_that_istio_takes(fields: str) -> None:
    assert judge("EnvoyFilter", patch(fields)) == []


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ("{}", "url", "missing"),
        ("{url: 'ftp://a/b'}", "url", "not a URL"),
        ("{url: 'oci://a/%zz'}", "url", "not a URL"),
        ("{url: 'oci://a/b', sha256: abc}", "sha256", "not a SHA-256"),
        ("{url: 'oci://a/b', pluginName: ''}", "pluginName", "0 characters"),
        ("{url: a/b, vmConfig: {env: [{name: a}, {name: a}]}}", "vmConfig.env[1].name", "twice"),
        ("{url: a/b, vmConfig: {env: [{name: a, value: b, valueFrom: HOST}]}}",
         "vmConfig.env[0].value", "HOST"),
        ("{url: a/b, match: [{ports: [{number: 0}]}]}", "match[0].ports[0].number", "no port"),
    ],
)  # fmt: skip
def test_a_wasm_plugin(spec: str, field: str, message: str) -> None:
    check("WasmPlugin", spec, field, message)


@pytest.mark.parametrize("url", ["oci://a/b:c", "https://a.test/b.wasm", "file:///b.wasm", "a/b"])
def test_a_wasm_plugin_that_istio_takes(url: str) -> None:
    assert judge("WasmPlugin", f"{{url: '{url}'}}") == []
