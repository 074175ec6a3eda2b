"""Which virtual host takes a request."""

from __future__ import annotations

import pytest

from meshproof.explain.virtual_hosts import domains_with_other_port, find_virtual_host

TABLE = {
    "virtual_hosts": [
        {"name": "any", "domains": ["*"]},
        {"name": "suffix", "domains": ["*.test"]},
        {"name": "longer", "domains": ["*.shop.test"]},
        {"name": "prefix", "domains": ["shop.*", "shop.test.*"]},
        {"name": "exact", "domains": ["a.shop.test", "svcb:80", "svcb"]},
    ]
}


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("a.shop.test", "exact"),
        ("A.Shop.Test", "exact"),
        ("b.shop.test", "longer"),
        ("shop.test", "suffix"),
        (".test", "any"),  # a star is at least one character
        ("shop.example", "prefix"),
        ("svcb", "exact"),
        ("svcb:80", "exact"),
        ("svcb:81", "any"),
    ],
)
def test_exact_then_suffix_then_prefix_then_any(authority: str, name: str) -> None:
    chosen = find_virtual_host(TABLE, authority)
    assert chosen is not None
    assert chosen.host["name"] == name


def test_none_where_no_domain_fits() -> None:
    table = {"virtual_hosts": TABLE["virtual_hosts"][1:]}
    assert find_virtual_host(table, "elsewhere") is None
    assert find_virtual_host({}, "elsewhere") is None


def test_ports_count_unless_the_table_says_otherwise() -> None:
    table = {"virtual_hosts": [{"name": "one", "domains": ["one"]}]}
    assert find_virtual_host(table, "one:8080") is None
    assert find_virtual_host({**table, "ignore_port_in_host_matching": True}, "one:8080")


def test_near_are_names_with_another_port() -> None:
    assert domains_with_other_port(TABLE, "svcb:8080") == ["svcb:80"]
    assert domains_with_other_port(TABLE, "svcc:8080") == []
