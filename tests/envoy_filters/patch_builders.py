"""EnvoyFilters from YAML, and what they make of a sidecar's or a gateway's configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml

from meshproof.embedded import patches
from meshproof.model.envoy_filter import EnvoyFilter
from meshproof.translate.envoy_config import build_gateway, build_outbound, build_sidecar
from meshproof.translate.world import Config, Named, Proxy, World
from tests.translate import builders, pod_builders

HCM = "envoy.filters.network.http_connection_manager"
INTO_HCM = f"listener: {{filterChain: {{filter: {{name: {HCM}}}}}}}"
BEFORE_ROUTER = (
    f"listener: {{filterChain: {{filter: {{name: {HCM},"
    " subFilter: {name: envoy.filters.http.router}}}}"
)
LUA = """
    name: envoy.filters.http.lua
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
      default_source_code:
        inline_string: |
          function envoy_on_response(handle) handle:headers():add("x-lua", "yes") end
"""


def envoy_filter(
    text: str, name: str = "f", namespace: str = "default", **fields: Any
) -> Named[EnvoyFilter]:
    """``text`` is one patch, or a list of them."""
    loaded = yaml.safe_load(text)
    rows = loaded if isinstance(loaded, list) else [loaded]
    return Named(name, namespace, EnvoyFilter.model_validate({"configPatches": rows, **fields}))


def lua(operation: str, match: str, context: str = "SIDECAR_INBOUND") -> Named[EnvoyFilter]:
    return envoy_filter(
        f"applyTo: HTTP_FILTER\nmatch: {{context: {context}, {match}}}\n"
        f"patch:\n  operation: {operation}\n  value:{LUA}"
    )


def _world(*filters: Named[EnvoyFilter], pods: bool = False, **parts: Any) -> World:
    make = pod_builders.world if pods else builders.world
    return replace(make(**parts), envoy_filters=filters)


def sidecar(*filters: Named[EnvoyFilter], pods: bool = False, **parts: Any) -> Any:
    """The whole configuration of an echo replica."""
    return _joined(*sidecar_parts(*filters, pods=pods, **parts))


def sidecar_parts(
    *filters: Named[EnvoyFilter], pods: bool = False, **parts: Any
) -> tuple[Config, Config]:
    """What an echo replica shares with others, and what it has of its own."""
    mesh = _world(*filters, pods=pods, **parts)
    replica = mesh.replicas[0]
    proxy = builders.proxy(replica)
    shared = patches.outbound(mesh, proxy, build_outbound(mesh, proxy))
    return shared, patches.own(mesh, proxy, build_sidecar(mesh, replica))


def gateway(*filters: Named[EnvoyFilter], proxy: Proxy, **parts: Any) -> Any:
    mesh = _world(*filters, **parts)
    shared = patches.outbound(mesh, proxy, build_outbound(mesh, proxy))
    return _joined(shared, patches.own(mesh, proxy, build_gateway(mesh, proxy, "127.60.1.1", {})))


def _joined(shared: Config, own: Config) -> Config:
    return Config(
        {**shared.clusters, **own.clusters},
        {**shared.endpoints, **own.endpoints},
        {**shared.listeners, **own.listeners},
        {**shared.routes, **own.routes},
    )


def http_filters(listener: Any) -> list[list[str]]:
    """The names of the HTTP filters of each chain that has any."""
    chains = [*listener["filter_chains"], *filter(None, [listener.get("default_filter_chain")])]
    managers = [f["typed_config"] for c in chains for f in c["filters"] if f["name"] == HCM]
    return [[f["name"].rpartition(".")[2] for f in m["http_filters"]] for m in managers]
