"""What a release asks over the control socket."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from meshproof.control.client import Client
from meshproof.control.serve import serve_mesh
from meshproof.errors import Unsupported
from meshproof.mesh import AccessRecord, Tail
from tests.fakes.mesh import FakeMesh

RECORD = AccessRecord(
    "svca-1", "outbound", "t", "GET", "/", "svcb", 200, "-", "", 7, "outbound|80||svcb", "h", "r",
    "i", "t", "run",
)  # fmt: skip


class ReleasingMesh(FakeMesh):
    def rules(self) -> str:
        return "kind: VirtualService\n"

    def tail(self, host: str, cursor: str) -> Tail:
        return Tail((RECORD,), f"after {cursor} at {host}")


def test_rules_and_tail_cross_the_socket(runtime_dir: Path, ended: threading.Event) -> None:
    with serve_mesh(ReleasingMesh(), ended):
        client = Client.find("shop")
        assert client.rules() == "kind: VirtualService\n"
        result = client.tail("svcb", "{}")
        assert result["cursor"] == "after {} at svcb"
        assert [AccessRecord(**record) for record in result["records"]] == [RECORD]


def test_a_mesh_that_has_no_release_says_so(client: Client) -> None:
    for ask in (client.rules, lambda: client.tail("svcb", "")):
        with pytest.raises(Unsupported, match="release: the mesh shop does not support it"):
            ask()
