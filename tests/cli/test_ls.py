"""``ls``: applied resources, as a table and as JSON."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.mesh import FakeMesh

Cli = Any


def test_ls(fake: FakeMesh, cli: Cli) -> None:
    assert json.loads(cli("ls", "-o", "json").out) == [
        {"kind": "Namespace", "namespace": "", "name": "pay"},
        {"kind": "VirtualService", "namespace": "pay", "name": "svcb"},
    ]
    rows = [line.split() for line in cli("ls", "-n", "pay").out.splitlines()]
    assert rows == [["KIND", "NAMESPACE", "NAME"], ["VirtualService", "pay", "svcb"]]
