"""Proxies of one scope share one outbound configuration: it must really be the same."""

from __future__ import annotations

import itertools
from dataclasses import replace

from meshproof.model.mesh_config import MeshConfig
from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.outbound_scope import outbound_scope
from meshproof.translate.world import Proxy, World
from tests.translate.builders import destination_rule, labelled, world
from tests.translate.test_envoy_accepts import everything

__all__ = ["everything"]  # the fixture
_LABELS: tuple[dict[str, str], ...] = (
    {},
    {"app": "echo"},
    {"app": "echo", "tier": "front"},
    {"app": "other", "x": "y"},
    {"app": "other", "istio-locality": "a/b/c"},
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


def test_places_and_labels_that_endpoints_are_preferred_by_tell_clients_apart() -> None:
    """What is shared by workloads of one scope is built for the first of them."""
    plain = world()
    near, far = (labelled({"app": "a", "istio-locality": at}) for at in ("eu.1.a", "us.1.a"))
    assert outbound_scope(plain, near) != outbound_scope(plain, far)
    assert outbound_scope(plain, near) == outbound_scope(plain, replace(near, workload="twin"))
    one, two = labelled({"tier": "front"}), labelled({"tier": "back"})
    assert outbound_scope(plain, one) == outbound_scope(plain, two)
    text = "{failoverPriority: [tier, colour=blue]}"
    setting = f"outlierDetection: {{}}, loadBalancer: {{localityLbSetting: {text}}}"
    for policy in (
        f"trafficPolicy: {{{setting}}}",
        f"trafficPolicy: {{portLevelSettings: [{{port: {{number: 80}}, {setting}}}]}}",
        f"subsets: [{{name: v1, labels: {{version: v1}}, trafficPolicy: {{{setting}}}}}]",
    ):
        mesh = world(destination_rules=(destination_rule(f"{{host: echo, {policy}}}"),))
        assert outbound_scope(mesh, one) != outbound_scope(mesh, two)
    settings = MeshConfig.model_validate({"localityLbSetting": {"failoverPriority": ["tier"]}})
    assert outbound_scope(world(mesh=settings), one) != outbound_scope(world(mesh=settings), two)
