"""The resources that ADS would send, as one static bootstrap for an Envoy without ADS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meshproof.translate.bootstrap import build_bootstrap
from meshproof.translate.world import Config, Resource


def static_bootstrap(
    configs: Sequence[Config],
    secrets: dict[str, Resource],
    *,
    admin: str = "/tmp/admin.sock",
    source_ip: str = "",
    mesh_namespace: str = "",
) -> dict[str, Any]:
    """Routes, endpoints and secrets are put where the configuration refers to them by ADS."""
    clusters = {k: v for c in configs for k, v in c.clusters.items()}
    endpoints = {k: v for c in configs for k, v in c.endpoints.items()}
    routes = {k: v for c in configs for k, v in c.routes.items()}
    listeners = {k: v for c in configs for k, v in c.listeners.items()}
    result = build_bootstrap(
        "node", "svca.default", {}, "/tmp/xds", "/tmp/zipkin", admin, source_ip, mesh_namespace
    )
    static = result["static_resources"]
    static["clusters"] += [_cluster(c, endpoints) for c in clusters.values()]
    static["listeners"] = [_replaced(x, routes) for x in listeners.values()]
    static["clusters"] = [_replaced(c, routes) for c in static["clusters"]]
    static["secrets"] = list(secrets.values())
    del result["dynamic_resources"]
    return result


def _cluster(cluster: Resource, endpoints: dict[str, Resource]) -> Resource:
    if cluster["type"] != "EDS":
        return cluster
    still = {k: v for k, v in cluster.items() if k != "eds_cluster_config"}
    return {**still, "type": "STATIC", "load_assignment": endpoints[str(cluster["name"])]}


def _replaced(value: Any, routes: dict[str, Resource]) -> Any:
    if isinstance(value, list):
        return [_replaced(v, routes) for v in value]
    if not isinstance(value, dict):
        return value
    fields = {k: _replaced(v, routes) for k, v in value.items() if k != "sds_config"}
    if "rds" in fields:
        fields["route_config"] = routes[fields.pop("rds")["route_config_name"]]
    return fields
