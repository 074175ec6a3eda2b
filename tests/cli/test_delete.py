"""``delete``: the documents' text is sent."""

from __future__ import annotations

from typing import Any

from tests.fakes.mesh import FakeMesh

Cli = Any


def test_delete(fake: FakeMesh, cli: Cli) -> None:
    done = cli("delete", "-f", "-", stdin=b"A")
    assert fake.calls == [("delete", [("<stdin>", "A")], "")]
    assert done.out == "File <stdin> deleted\n"
