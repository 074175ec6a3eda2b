"""Bare Envoys on the way of a payment: the same binary and the same hops as in the mesh, with
nothing on: no TLS, spans, log, metrics or rules. What a mesh costs is what it adds to these.

Three processes, as in the mesh: the gateway, and one each beside svca and svcb, which take what
comes in and what goes out. The supervisor of the mesh starts them as hosts outside of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from meshproof.embedded.pod import envoy_binary
from meshproof.project import OutsideHost, RealAddress

_LOCAL = "127.0.0.1"
_API = "type.googleapis.com/envoy.extensions"
_MANAGER = f"{_API}.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = f"{_API}.filters.http.router.v3.Router"


def envoy_host(folder: Path, name: str, ways: dict[int, int]) -> OutsideHost:
    """An Envoy that passes on what comes to a port of ``ways`` to the port beside it; it is ready
    when the first of them is. Its configuration is written to ``folder``."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(_config(ways)), encoding="utf-8")
    return OutsideHost(
        ports={80: RealAddress(ip=_LOCAL, port=next(iter(ways)))},
        command=envoy_binary.command(path, folder / f"{name}.log"),
        ready="/readyz",
    )


def _config(ways: dict[int, int]) -> dict[str, Any]:
    return {
        "static_resources": {
            "listeners": [_listener(port, str(to)) for port, to in ways.items()],
            "clusters": [_cluster(str(to), to) for to in ways.values()],
        }
    }


def _listener(port: int, cluster: str) -> dict[str, Any]:
    route = {"match": {"prefix": "/"}, "route": {"cluster": cluster}}
    table = {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]}
    manager = {
        "@type": _MANAGER,
        "stat_prefix": "bare",
        "route_config": table,
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"address": _address(port), "filter_chains": [{"filters": filters}]}


def _cluster(name: str, port: int) -> dict[str, Any]:
    member = {"endpoint": {"address": _address(port)}}
    assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": [member]}]}
    return {"name": name, "type": "STATIC", "load_assignment": assignment}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": _LOCAL, "port_value": port}}
