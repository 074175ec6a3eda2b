"""Host and gateway names as Istio resolves them."""

from __future__ import annotations

import pytest

from meshproof.translate.host_names import covers, fqdn, gateway_key


@pytest.mark.parametrize(
    ("host", "full"),
    [
        ("svcb", "svcb.ns.svc.cluster.local"),
        ("svcb.ns", "svcb.ns"),
        ("*", "*"),
        ("*.test", "*.test"),
    ],
)
def test_fqdn(host: str, full: str) -> None:
    assert fqdn(host, "ns") == full


@pytest.mark.parametrize(
    ("pattern", "host", "yes"),
    [
        ("a.test", "a.test", True),
        ("a.test", "b.test", False),
        ("*.test", "a.test", True),
        ("*.test", "*.a.test", True),
        ("*.a.test", "*.test", False),
        ("*.test", "atest", False),
        ("*", "a.test", True),
    ],
)
def test_covers(pattern: str, host: str, yes: bool) -> None:
    assert covers(pattern, host) is yes


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("gw", ("ns", "gw")),
        ("./gw", ("ns", "gw")),
        ("other/gw", ("other", "gw")),
        ("gw.other.svc.cluster.local", ("other", "gw")),
    ],
)
def test_gateway_key(name: str, key: tuple[str, str]) -> None:
    assert gateway_key(name, "ns") == key
