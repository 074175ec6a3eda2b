"""Names as a pod's programs have them: the search list, ndots, aliases."""

from __future__ import annotations

import pytest

from meshproof.embedded.pod_requests import resolve
from meshproof.errors import MeshproofError
from meshproof.translate.name_table import NameTable

NAMES = NameTable(
    {
        "cart.shop.svc.cluster.local": ("127.250.0.1",),
        "cart.other.svc.cluster.local": ("127.250.0.2",),
        "api.example.com": ("127.251.0.1",),
        "a.b.c.d.e.f": ("127.251.0.2",),
        "a.b.c.d.e.f.shop.svc.cluster.local": ("127.250.0.9",),
    },
    {"rates.shop.svc.cluster.local": "api.example.com"},
    {},
)


@pytest.mark.parametrize(
    ("host", "ip"),
    [
        ("cart", "127.250.0.1"),
        ("CART.other", "127.250.0.2"),
        ("cart.other.svc", "127.250.0.2"),
        ("cart.other.svc.cluster.local", "127.250.0.2"),
        ("api.example.com", "127.251.0.1"),
        ("api.example.com.", "127.251.0.1"),
        ("rates", "127.251.0.1"),
        ("a.b.c.d.e.f", "127.251.0.2"),  # five dots: not searched for first
        ("10.100.35.27", "10.100.35.27"),
    ],
)
def test_a_name_is_searched_for_as_resolv_conf_says(host: str, ip: str) -> None:
    assert resolve(NAMES, "shop", host) == ip


@pytest.mark.parametrize("host", ["nowhere", "cart.", "example.com"])
def test_an_unknown_name_is_said_to_be_unknown(host: str) -> None:
    with pytest.raises(MeshproofError, match="has no address in the pods"):
        resolve(NAMES, "shop", host)
