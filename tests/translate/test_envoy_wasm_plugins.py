"""A real sidecar that runs WasmPlugins: what they do, and in which order with policies."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from meshproof.model.authorization_policy import AuthorizationPolicy
from meshproof.model.wasm_plugin import WasmPlugin
from meshproof.translate.envoy_config import build_outbound, build_sidecar
from meshproof.translate.world import (
    Address,
    ContainerPort,
    Named,
    Resource,
    Service,
    ServicePort,
    World,
)
from tests.fakes import wasm_module
from tests.translate import builders
from tests.translate.envoy_process import loopback_prefix, serve_echo, start_envoy
from tests.translate.static_bootstrap import static_bootstrap

_PORTS = {"adds": 8080, "authn": 8081, "stats": 8082, "network": 8083, "lost": 8084, "open": 8085}
_PLUGINS = """
adds: {url: file://adds.wasm, pluginConfig: {say: hello}}
authn: {url: file://answers.wasm, phase: AUTHN}
stats: {url: file://answers.wasm, phase: STATS}
network: {url: file://closes.wasm, type: NETWORK}
lost: {url: file://crashes.wasm}
open: {url: file://crashes.wasm, failStrategy: FAIL_OPEN}
"""
_DENIED = "{action: DENY, rules: [{to: [{operation: {ports: ['8081', '8082']}}]}]}"


def _plugins(folder: Path) -> Iterator[Named[WasmPlugin]]:
    """One for each port, with its module in ``folder``."""
    modules = {
        "adds": wasm_module.adding("x-plugin"),
        "answers": wasm_module.answering(418),
        "closes": wasm_module.closing(),
        "crashes": wasm_module.crashing(),
    }
    for name, content in modules.items():
        (folder / f"{name}.wasm").write_bytes(content)
    for name, spec in yaml.safe_load(_PLUGINS).items():
        url = spec["url"].replace("file://", f"file://{folder}/")
        match = [{"mode": "SERVER", "ports": [{"number": _PORTS[name]}]}]
        model = WasmPlugin.model_validate({**spec, "url": url, "match": match})
        yield Named(name, "default", model)


def _world(ip: str, app: Address, folder: Path) -> World:
    ports = tuple(ContainerPort(n, p, Address(ip, p), app) for n, p in _PORTS.items())
    denied = AuthorizationPolicy.model_validate(yaml.safe_load(_DENIED))
    service_ports = tuple(ServicePort(n, p, p, "HTTP") for n, p in _PORTS.items())
    return builders.world(
        replicas=(replace(builders.replica("echo", "v1", ip), ports=ports),),
        services=(Service("echo", "default", {"app": "echo"}, service_ports),),
        authorization_policies=(Named("denied", "default", denied),),
        wasm_plugins=tuple(_plugins(folder)),
    )


@pytest.fixture(scope="module")
def sidecar_ip(
    envoy: Path, secrets: dict[str, Resource], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    own, folder = loopback_prefix(), tmp_path_factory.mktemp("wasm")
    with ExitStack() as stack:
        mesh = _world(f"{own}.1", serve_echo(stack, f"{own}.2"), folder)
        (echo,) = mesh.replicas
        parts = [build_outbound(mesh, builders.proxy(echo)), build_sidecar(mesh, echo)]
        config = static_bootstrap(parts, secrets, admin=str(folder / "admin.sock"))
        start_envoy(stack, envoy, folder, echo, config)
        yield echo.ip


def _get(ip: str, port: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(ip, _PORTS[port], timeout=300)
    connection.request("GET", "/")
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_a_module_gets_its_configuration_and_changes_the_answer(sidecar_ip: str) -> None:
    response = _get(sidecar_ip, "adds")
    assert response.status == 200
    assert response.headers["x-plugin"] == '{"say":"hello"}'


def test_phase_authn_is_before_the_policies_and_stats_after_them(sidecar_ip: str) -> None:
    assert _get(sidecar_ip, "authn").status == 418
    assert _get(sidecar_ip, "stats").status == 403


def test_a_network_plugin_closes_the_connection(sidecar_ip: str) -> None:
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        _get(sidecar_ip, "network")


def test_a_module_that_crashes_fails_requests_unless_it_may_fail_open(sidecar_ip: str) -> None:
    assert _get(sidecar_ip, "lost").status == 503
    assert _get(sidecar_ip, "open").status == 200
