"""Proxies of one scope share one outbound configuration: it must really be the same."""

from __future__ import annotations

import itertools

from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.outbound_scope import outbound_scope
from meshproof.translate.world import Proxy, World
from tests.translate.test_envoy_accepts import everything

__all__ = ["everything"]  # the fixture
_LABELS: tuple[dict[str, str], ...] = (
    {},
    {"app": "echo"},
    {"app": "echo", "tier": "front"},
    {"app": "other", "x": "y"},
)
PROXIES = [
    Proxy("sidecar", namespace, f"w{number}", labels, f"account-{number}")
    for number, (namespace, labels) in enumerate(
        itertools.product(("default", "elsewhere"), _LABELS)
    )
]


def test_equal_scopes_see_the_same(everything: World) -> None:
    pairs = [
        (one, other)
        for one, other in itertools.combinations(PROXIES, 2)
        if outbound_scope(everything, one) == outbound_scope(everything, other)
    ]
    assert pairs, "some of these proxies share a scope"
    for one, other in pairs:
        assert build_outbound(everything, one) == build_outbound(everything, other), (one, other)


def test_what_sees_otherwise_has_another_scope(everything: World) -> None:
    first, second = PROXIES[0], PROXIES[1]
    assert build_outbound(everything, first) != build_outbound(everything, second)
    assert outbound_scope(everything, first) != outbound_scope(everything, second)
    elsewhere = PROXIES[4]
    assert outbound_scope(everything, first) != outbound_scope(everything, elsewhere)
