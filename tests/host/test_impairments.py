"""What each kind of network fault takes, and what it does."""

from __future__ import annotations

import pytest

from meshproof.errors import UsageError
from meshproof.host.impairments import parse_impairment
from meshproof.host.tcp_fault_proxy import Impairment


def test_numbers_are_what_a_kind_takes() -> None:
    assert parse_impairment("latency", {"ms": 50}) == Impairment(delay=0.05)
    assert parse_impairment("loss", {"percent": 5}) == Impairment(loss=0.05)
    assert parse_impairment("refuse", {}).refuses
    assert not parse_impairment("cut", {}).passes
    for kind, how in (
        ("latency", {}),
        ("latency", {"ms": 0}),
        ("latency", {"ms": True}),
        ("latency", {"ms": "50"}),
        ("latency", {"percent": 5}),
        ("loss", {"percent": 100}),
        ("cut", {"ms": 5}),
    ):
        with pytest.raises(UsageError, match=f"fault {kind}: .*wanted"):
            parse_impairment(kind, how)
