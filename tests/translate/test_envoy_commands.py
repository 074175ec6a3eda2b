"""Envoy itself says which commands header values may have."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from meshproof.model.envoy_commands import OPTIONAL, PLAIN, REQUIRED, command_problem

_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"
_IN_BRACKETS = {
    "CEL": "request.path",
    "COALESCE": '{"operators": ["HOSTNAME"]}',
    "COMMON_DURATION": "DS_RX_BEG:DS_RX_END:ms",
    "FILTER_STATE": "a:PLAIN",
    "GRPC_STATUS": "CAMEL_STRING",
    "METADATA": "ROUTE:a:b",
    "PATH": "NQ",
    "START_TIME": "%s.%3f",
}


def _type(name: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/{name}", **fields}


def _refusal(envoy: Path, values: Iterable[str]) -> str:
    """What Envoy says against a route that adds a header of each value; empty if nothing."""
    headers = [{"header": {"key": f"x-{i}", "value": v}} for i, v in enumerate(values)]
    route = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200},
        "request_headers_to_add": headers,
    }
    hosts = [{"name": "all", "domains": ["*"], "routes": [route]}]
    manager = _type(
        _MANAGER,
        stat_prefix="x",
        route_config={"virtual_hosts": hosts},
        http_filters=[{"name": "router", "typed_config": _type(_ROUTER)}],
    )
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    chain = {"filters": [{"name": "hcm", "typed_config": manager}]}
    listener = {"name": "l", "address": address, "filter_chains": [chain]}
    config = json.dumps({"static_resources": {"listeners": [listener]}})
    command = [str(envoy), "--mode", "validate", "--config-yaml", config, "-l", "error"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stderr if result.returncode else ""


def test_envoy_takes_every_command(envoy: Path) -> None:
    plain = [f"%{name}%" for name in sorted(PLAIN | OPTIONAL)]
    with_brackets = [f"%{n}({_IN_BRACKETS.get(n, 'a')})%" for n in sorted(REQUIRED | OPTIONAL)]
    assert all(command_problem(value) == "" for value in (*plain, *with_brackets))
    assert _refusal(envoy, [*plain, *with_brackets]) == ""


@pytest.mark.parametrize(
    ("value", "ours", "envoys"),
    [
        ("%SHOP%", "no command", "Not supported field"),
        ("%REQ_WITHOUT_QUERY(:path)%", "no command", "Not supported field"),
        ("%HOSTNAME(a)%", "takes nothing in brackets", "does not take any parameters"),
        ("%REQ%", "says nothing in brackets", "requires parameters"),
    ],
)
def test_envoy_refuses_what_is_refused_here(
    envoy: Path, value: str, ours: str, envoys: str
) -> None:
    assert ours in command_problem(value)
    assert envoys in _refusal(envoy, [value])
