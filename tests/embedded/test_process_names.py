"""A process's name says whose it is, and which part."""

from __future__ import annotations

import pytest

from meshproof.embedded.process_names import envoy_process, outside_process, owner_of


@pytest.mark.parametrize(
    ("process", "owner"),
    [
        ("svca-1", ("svca-1", "app")),
        (envoy_process("svca-1"), ("svca-1", "sidecar")),
        (outside_process("msgd.test"), ("msgd.test", "app")),
        (envoy_process("istio-ingressgateway"), ("gateway", "sidecar")),
    ],
)
def test_a_name_says_whose_process_it_is(process: str, owner: tuple[str, str]) -> None:
    assert owner_of(process) == owner
