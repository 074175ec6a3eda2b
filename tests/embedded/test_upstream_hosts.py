"""Sockets of pods in access logs become the addresses that they stand for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.embedded.context import RunPaths
from meshproof.embedded.telemetry.upstream_hosts import resolve
from meshproof.telemetry.access_log import to_record
from meshproof.translate.world import Address

PATHS = RunPaths(Path("/run/meshproof/r1"))
ENGINE: Any = SimpleNamespace(
    context=SimpleNamespace(
        paths=PATHS, block=SimpleNamespace(sidecar=lambda slot: f"127.16.1.{slot}")
    ),
    outside=[SimpleNamespace(addresses={9997: Address(ip="127.16.0.10", port=34567)})],
)


@pytest.mark.parametrize(
    ("logged", "address"),
    [
        (str(PATHS.pod_port(3, 8080)), "127.16.1.3:8080"),
        (str(PATHS.way_out(0, 9997)), "127.16.0.10:34567"),
        ("127.16.1.2:8080", "127.16.1.2:8080"),
        (str(PATHS.app(3)), str(PATHS.app(3))),
        ("/elsewhere/s/i3:8080", "/elsewhere/s/i3:8080"),
        ("", ""),
    ],
)
def test_an_upstream_host_is_an_address(logged: str, address: str) -> None:
    record = to_record({"upstream_host": logged}, "svca-1")
    assert resolve(ENGINE, record).upstream_host == address
