"""``metrics``: the text as it comes."""

from __future__ import annotations

from typing import Any

from tests.fakes.mesh import FakeMesh

Cli = Any


def test_metrics(fake: FakeMesh, cli: Cli) -> None:
    assert cli("metrics", "svca").out == "istio_requests_total{app='svca'} 1\n"
    assert cli("metrics").out == "istio_requests_total{app=''} 1\n"
