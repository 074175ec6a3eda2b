"""Destinations and weights of a route, in each dialect of rules."""

from __future__ import annotations

import pytest

from meshproof.model.reader import read_text
from meshproof.translate.route_shares import DestinationShare, RouteShares, route_shares

VIRTUAL_SERVICE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: back, namespace: shop}
spec: {hosts: [back], http: [%s]}
"""
HTTP_ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: back, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: back, port: 80}]
  rules: [{backendRefs: [{name: v1, port: 80, weight: 3}, {name: v2, port: 80}]}]
"""
ROUTE_RULE = """
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: back, namespace: shop}
spec: {destination: {name: back}, route: [%s]}
"""


def shares(text: str) -> list[RouteShares]:
    (rule,) = read_text(text, "r.yaml")
    return route_shares(rule)


def test_weights_of_several_destinations_are_as_written() -> None:
    to = "{destination: {host: back, subset: %s}, weight: %d}"
    split = f"{{route: [{to % ('a', 90)}, {to % ('b', 10)}]}}"
    assert shares(VIRTUAL_SERVICE % split) == [
        RouteShares(
            (("back", "shop"),),
            True,
            (DestinationShare("back", "a", 90), DestinationShare("back", "b", 10)),
        )
    ]


@pytest.mark.parametrize("weight", ["", ", weight: 0", ", weight: 7"])
def test_a_single_destination_gets_every_call(weight: str) -> None:
    only = f"{{route: [{{destination: {{host: back}}{weight}}}]}}"
    (route,) = shares(VIRTUAL_SERVICE % only)
    assert route.shares == (DestinationShare("back", "", 100),)


def test_a_match_makes_a_route_conditional_and_a_redirect_has_no_shares() -> None:
    matched = "{match: [{uri: {prefix: /x}}], route: [{destination: {host: back}}]}"
    (route,) = shares(VIRTUAL_SERVICE % f"{matched}, {{redirect: {{uri: /y}}}}")
    assert not route.unconditional


def test_backends_of_an_http_route() -> None:
    assert shares(HTTP_ROUTE) == [
        RouteShares(
            (("back", "shop"),),
            True,
            (DestinationShare("v1", "", 3), DestinationShare("v2", "", 1)),
        )
    ]


def test_a_route_rule_names_labels() -> None:
    (route,) = shares(ROUTE_RULE % "{labels: {version: v1}, weight: 100}")
    assert route.shares == (DestinationShare("back", "", 100, {"version": "v1"}),)


def test_other_kinds_have_no_shares() -> None:
    text = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: back}
spec: {host: back}
"""
    assert shares(text) == []
