"""WasmPlugins: WebAssembly modules as filters of a proxy's listeners.

Istio: pilot/pkg/model/extensions.go, and core/extension/wasmplugin.go for the place of each phase.
The filters have Istio's names. Their configuration is part of the listener, where Istio sends it
apart (ECDS): a listener is live with it or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from meshproof.istio_names import WASM_PLUGIN
from meshproof.model.wasm_plugin import PHASES, Phase, WasmPlugin
from meshproof.translate.proto import Json, build_any, build_extension
from meshproof.translate.telemetry_metrics import Side
from meshproof.translate.workload_selection import select_policies
from meshproof.translate.world import Named, Proxy, Replica, WasmModule, World, mesh_of

_HTTP = "envoy.extensions.filters.http.wasm.v3.Wasm"
_NETWORK = "envoy.extensions.filters.network.wasm.v3.Wasm"
_VERSION = "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION"
_POLICIES = {
    "FAIL_CLOSE": "FAIL_CLOSED",
    "FAIL_OPEN": "FAIL_OPEN",
    "FAIL_RELOAD": "FAIL_RELOAD",
}
_LAST = -(2**31)
"""The priority of a plugin without one."""


@dataclass(frozen=True, slots=True)
class Plugins:
    """Those of one side of a proxy, in the order of their phases' filters."""

    side: Side = "CLIENT"
    rules: tuple[Named[WasmPlugin], ...] = ()
    modules: Mapping[tuple[str, str], WasmModule] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """The proxy's own, for variables that modules take from it."""

    def http_filters(self, port: int, *phases: Phase) -> list[Json]:
        """The HTTP filters of a listener for ``port``; of all phases if none is given."""
        return self._filters(port, phases or PHASES, network=False)

    def network_filters(self, port: int, *phases: Phase) -> list[Json]:
        """The network filters, for connections of HTTP too."""
        return self._filters(port, phases or PHASES, network=True)

    def _filters(self, port: int, phases: Iterable[Phase], *, network: bool) -> list[Json]:
        rows = [r for r in self.rules if r.spec.is_network == network]
        return [
            build_extension(
                f"{WASM_PLUGIN}{rule.namespace}.{rule.name}",
                _NETWORK if network else _HTTP,
                config=self._config(rule),
            )
            for phase in phases
            for rule in rows
            if rule.spec.phase == phase and rule.spec.matches(self.side, port)
        ]

    def _config(self, rule: Named[WasmPlugin]) -> Json:
        spec = rule.spec
        module = self.modules.get((rule.namespace, rule.name)) or WasmModule(str(spec.path))
        config: Json = {
            "name": f"{rule.namespace}.{rule.name}",
            "root_id": spec.plugin_name,
            "failure_policy": _POLICIES[spec.fail_strategy],
            "vm_config": {
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": module.path}},
                "environment_variables": {"key_values": self._variables(spec, module)},
            },
        }
        if spec.plugin_config:
            text = json.dumps(
                _as_json(spec.plugin_config),
                sort_keys=True,
                separators=(",", ":"),
                ensure_ascii=False,
            )
            config["configuration"] = build_any("google.protobuf.StringValue", value=text)
        return config

    def _variables(self, spec: WasmPlugin, module: WasmModule) -> dict[str, str]:
        """Istio puts the resource's version among them, so that a change loads the module anew;
        here it is that of the file."""
        variables = {_VERSION: module.sha256}
        for variable in spec.vm_config.env:
            if variable.value_from == "INLINE":
                variables[variable.name] = variable.value
            elif variable.name in self.environment:
                variables[variable.name] = self.environment[variable.name]
        return variables


NO_PLUGINS: Final = Plugins()


def _as_json(value: Any) -> Any:
    """As protobuf's Struct writes it: a number without a fraction is whole."""
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def select_plugins(world: World, proxy: Proxy | Replica, side: Side) -> Plugins:
    """The plugins of a proxy on one side; a gateway's is CLIENT. Of one priority those of the
    proxy's own namespace come before the root namespace's."""
    chosen = list(select_policies(world.wasm_plugins, proxy.namespace, proxy.labels))
    if not chosen:
        return Plugins(side)
    chosen.sort(key=lambda rule: rule.namespace != proxy.namespace)
    chosen.sort(key=lambda rule: -(_LAST if rule.spec.priority is None else rule.spec.priority))
    environment = mesh_of(world, proxy).default_config.proxy_metadata
    return Plugins(side, tuple(chosen), world.wasm_modules, environment)
