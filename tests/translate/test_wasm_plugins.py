"""WasmPlugins in a proxy's configuration: which, where, in which order, and how configured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from meshproof.model.mesh_config import MeshConfig
from meshproof.model.wasm_plugin import WasmPlugin
from meshproof.translate.envoy_config import build_gateway, build_sidecar
from meshproof.translate.wasm_plugins import Plugins, select_plugins
from meshproof.translate.world import Named, WasmModule, World
from tests.translate import builders, pod_builders
from tests.translate.policy_builders import JWKS, ROOT, rule

HCM = "envoy.filters.network.http_connection_manager"
GATEWAY = "{selector: {istio: ingressgateway}, servers: [%s]}"
PREFIX = "extensions.istio.io/wasmplugin/"


def plugin(text: str, name: str = "p", namespace: str = "default") -> Named[WasmPlugin]:
    spec = {"url": "file:///m.wasm", **yaml.safe_load(text)}
    return Named(name, namespace, WasmPlugin.model_validate(spec))


def _http_filters(chain: Any) -> list[str]:
    (manager,) = [f["typed_config"] for f in chain["filters"] if f["name"] == HCM]
    return [f["name"].removeprefix("envoy.filters.http.") for f in manager["http_filters"]]


def _inbound(*plugins: Named[WasmPlugin], **parts: Any) -> list[Any]:
    mesh = builders.world(wasm_plugins=plugins, **parts)
    chains: list[Any] = build_sidecar(mesh, mesh.replicas[0]).listeners["inbound|8080||"][
        "filter_chains"
    ]  # type: ignore[assignment]
    return chains


def test_each_phase_has_its_place_among_the_policies() -> None:
    names = ("AUTHN", "AUTHZ", "STATS", "UNSPECIFIED_PHASE")
    plugins = [plugin(f"{{phase: {name}}}", name.lower()) for name in reversed(names)]
    rules = f"{{jwtRules: [{{issuer: a, jwks: '{JWKS}'}}]}}"
    tokens = (rule("RequestAuthentication", rules),)
    for chain in _inbound(*plugins, request_authentications=tokens):
        filters = [f.removeprefix(f"{PREFIX}default.") for f in _http_filters(chain)]
        start = filters.index("authn")
        rbac = ("rbac.audit", "rbac.deny", "rbac.allow")
        assert filters[start:] == [
            *("authn", "jwt_authn", "authz", *rbac, "stats", "unspecified_phase", "router")
        ]


def test_a_connection_passes_network_plugins_before_its_requests() -> None:
    for chain in _inbound(plugin("{type: NETWORK}")):
        assert [f["name"] for f in chain["filters"]] == [f"{PREFIX}default.p", HCM]
        assert not [f for f in _http_filters(chain) if f.startswith(PREFIX)]


def _names(plugins: Plugins, port: int = 80) -> list[str]:
    return [f["name"].removeprefix(PREFIX) for f in plugins.http_filters(port)]


def _select(*plugins: Named[WasmPlugin], side: Any = "SERVER", **parts: Any) -> Plugins:
    mesh = World(wasm_plugins=plugins, **parts)
    return select_plugins(mesh, builders.CLIENT, side)


def test_the_highest_priority_is_first_and_none_is_last() -> None:
    rows = [
        plugin("{}", "none", ROOT),
        plugin("{priority: -1}", "low"),
        plugin("{priority: 9}", "high", ROOT),
        plugin("{}", "own"),
    ]
    assert _names(_select(*rows)) == [
        f"{ROOT}.high", "default.low", "default.own", f"{ROOT}.none"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "namespace", "applies"),
    [
        ("{selector: {matchLabels: {app: client}}}", "default", True),
        ("{selector: {matchLabels: {app: other}}}", "default", False),
        ("{selector: {matchLabels: {app: client}}}", ROOT, True),
        ("{selector: {matchLabels: {app: client}}}", "elsewhere", False),
        ("{targetRefs: [{kind: Service, name: client}]}", "default", False),
    ],
)
def test_the_workloads_that_it_is_for(text: str, namespace: str, applies: bool) -> None:
    assert bool(_names(_select(plugin(text, namespace=namespace)))) is applies


@pytest.mark.parametrize(
    ("match", "side", "port", "applies"),
    [
        ("[]", "CLIENT", 80, True),
        ("[{}]", "CLIENT", 80, True),
        ("[{mode: SERVER}]", "CLIENT", 80, False),
        ("[{mode: CLIENT}]", "CLIENT", 80, True),
        ("[{mode: CLIENT_AND_SERVER, ports: [{number: 80}]}]", "SERVER", 80, True),
        ("[{ports: [{number: 81}]}]", "SERVER", 80, False),
        ("[{mode: CLIENT, ports: [{number: 80}]}, {ports: [{number: 81}]}]", "SERVER", 81, True),
    ],
)
def test_the_listeners_that_it_is_for(match: str, side: str, port: int, applies: bool) -> None:
    plugins = _select(plugin(f"{{match: {match}}}"), side=side)
    assert bool(_names(plugins, port)) is applies


def _config(text: str, *, module: WasmModule | None = None, mesh: MeshConfig | None = None) -> Any:
    modules = {("default", "p"): module} if module else {}
    parts = {"mesh": mesh} if mesh else {}
    (row,) = _select(plugin(text), wasm_modules=modules, **parts).http_filters(80)
    return row["typed_config"]["config"]


def test_a_module_s_configuration_is_istio_s() -> None:
    config = _config(
        "{pluginName: root, pluginConfig: {b: 1.0, a: {ä: [true, null, 0.5]}}, "
        "failStrategy: FAIL_RELOAD}",
        module=WasmModule("/there/m.wasm", "5eed"),
    )
    assert config == {
        "name": "default.p",
        "root_id": "root",
        "failure_policy": "FAIL_RELOAD",
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": "/there/m.wasm"}},
            "environment_variables": {
                "key_values": {"ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION": "5eed"}
            },
        },
        "configuration": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": '{"a":{"ä":[true,null,0.5]},"b":1}',
        },
    }
    assert _config("{}")["failure_policy"] == "FAIL_CLOSED"
    assert "configuration" not in _config("{pluginConfig: {}}")


def test_variables_are_inline_or_the_proxy_s_own() -> None:
    proxy = {"defaultConfig": {"proxyMetadata": {"REGION": "north"}}}
    mesh = MeshConfig.model_validate(proxy)
    env = "[{name: A, value: b}, {name: REGION, valueFrom: HOST}, {name: HOME, valueFrom: HOST}]"
    config = _config(f"{{vmConfig: {{env: {env}}}}}", mesh=mesh)
    variables = config["vm_config"]["environment_variables"]["key_values"]
    del variables["ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION"]
    assert variables == {"A": "b", "REGION": "north"}


def test_a_sidecar_s_calls_pass_it_by_their_port() -> None:
    rows = (plugin("{match: [{mode: CLIENT, ports: [{number: 80}]}]}"),)
    services = (builders.service("echo", ports=(80, 81)),)
    mesh = replace(pod_builders.world(services=services), wasm_plugins=rows)
    listeners: Any = build_sidecar(mesh, mesh.replicas[0]).listeners
    chosen = {
        name: f"{PREFIX}default.p" in _http_filters(listener["filter_chains"][0])
        for name, listener in listeners.items()
        if name in ("0.0.0.0_80", "0.0.0.0_81")
    }
    assert chosen == {"0.0.0.0_80": True, "0.0.0.0_81": False}


def test_a_gateway_is_a_client_and_its_ports_are_its_servers() -> None:
    servers = ", ".join(
        f"{{port: {{number: {n}, name: h{n}, protocol: HTTP}}, hosts: ['*']}}" for n in (80, 8080)
    )
    mesh = builders.world(
        gateways=(builders.gateway(GATEWAY % servers),),
        wasm_plugins=(
            plugin("{match: [{mode: CLIENT, ports: [{number: 8080}]}]}", "c", "istio-system"),
            plugin("{match: [{mode: SERVER}]}", "s", "istio-system"),
        ),
    )
    listeners: Any = build_gateway(mesh, builders.GATEWAY, "127.60.1.1", {}).listeners
    plugins = {
        name: [
            f.removeprefix(PREFIX) for f in _http_filters(row["filter_chains"][0]) if PREFIX in f
        ]
        for name, row in listeners.items()
        if name.startswith("http.")
    }
    assert plugins == {"http.80": [], "http.8080": ["istio-system.c"]}
