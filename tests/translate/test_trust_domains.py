"""Principals under the mesh's trust domain and its aliases."""

from __future__ import annotations

import pytest

from meshproof.translate.trust_domains import expand_principal

REST = "/ns/a/sa/b"


@pytest.mark.parametrize(
    ("domain", "domains"),
    [
        ("cluster.local", ["td", "old-td"]),
        ("td", ["td", "old-td"]),
        ("old-td", ["td", "old-td"]),
        ("else", ["else"]),
        ("*", ["*"]),
        ("*-td", ["td", "*-td"]),
    ],
)
def test_a_principal_stands_for_the_mesh_s_own_domains(domain: str, domains: list[str]) -> None:
    result = expand_principal(domain + REST, ("td", "old-td"))
    assert result == [own + REST for own in domains]


@pytest.mark.parametrize("principal", ["*", "cluster.local/ns/a", "a/b/c/d/e/f"])
def test_what_is_no_whole_principal_stays(principal: str) -> None:
    assert expand_principal(principal, ("td",)) == [principal]
