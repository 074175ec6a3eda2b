"""``scale WORKLOAD=N``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.mesh import FakeMesh

Cli = Any


def test_scale(fake: FakeMesh, cli: Cli) -> None:
    assert cli("scale", "pay/svca=12").code == 0
    assert fake.calls == [("scale", "pay/svca", 12)]


@pytest.mark.parametrize("target", ["svca", "svca=", "=2", "svca=-1", "svca=two", "svca=²"])
def test_scale_refuses_what_is_no_number(fake: FakeMesh, cli: Cli, target: str) -> None:
    done = cli("scale", target)
    assert (done.code, fake.calls) == (2, [])
    assert done.err.startswith(f"error: scale: '{target}': wanted WORKLOAD=N")
