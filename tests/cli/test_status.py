"""``status``: replicas, and why one is not ready."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.mesh import FakeMesh

Cli = Any


def test_status_says_why_a_replica_is_not_ready(fake: FakeMesh, cli: Cli) -> None:
    lines = cli("status").out.splitlines()
    assert lines[1].split(maxsplit=6) == [
        "default", "svca", "svca-1", "no", "2", "127.0.0.2", "ended with code 1",
    ]  # fmt: skip
    assert json.loads(cli("status", "-o", "json").out)["version"] == "7"
    assert json.loads(cli("status", "-n", "pay", "-o", "json").out)["replicas"] == []
