"""``url``: addresses, and an unknown workload."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.mesh import FakeMesh

Cli = Any


def test_url(fake: FakeMesh, cli: Cli) -> None:
    assert cli("url", "gateway").out == "http://127.0.0.1:8080/gateway\n"
    assert json.loads(cli("url", "gateway", "-o", "json").out)["url"].endswith("/gateway")
    done = cli("url", "nope")
    assert (done.code, done.err) == (2, "error: no workload nope; there is default/svca\n")
