"""The shares that rules ask for, in each dialect."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.assertions.expected_split import ExpectedSplit, read_expected_split
from meshproof.assertions.splits import required_requests
from meshproof.errors import UsageError
from meshproof.model.reader import read_resources, read_text
from meshproof.verdicts.split import Errors

RULES = Path(__file__).parents[2] / "rules"
SUBSETS = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: back}
spec:
  host: back
  subsets:
    - {name: a, labels: {version: v1}}
    - {name: b, labels: {version: v2}}
    - {name: c, labels: {version: v3}}
---
"""
SERVICE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: back}
spec:
  hosts: [back]
  http:
"""
HALVES = """
    - route:
        - {destination: {host: back, subset: a}, weight: 50}
        - {destination: {host: back, subset: b}, weight: 50}
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: back}
spec:
  parentRefs: [{group: "", kind: Service, name: back, port: 80}]
  rules:
    - backendRefs: [{name: back-v1, port: 80, weight: 3}, {name: back-v2, port: 80, weight: 1}]
"""


def of(text: str, to: str = "back") -> ExpectedSplit:
    return read_expected_split(read_text(text, "r.yaml"), to, "r.yaml")


def test_subsets_by_the_versions_that_they_stand_for() -> None:
    assert of(SUBSETS + SERVICE + HALVES) == ExpectedSplit({"v1": 50, "v2": 50, "v3": 0}, "version")


def test_subsets_that_stand_elsewhere_by_their_names() -> None:
    assert of(SERVICE + HALVES) == ExpectedSplit({"a": 50, "b": 50}, "subset")


def test_backends_by_their_hosts() -> None:
    assert of(ROUTE) == ExpectedSplit({"back-v1": 3, "back-v2": 1}, "host")


def test_the_route_for_every_request_is_taken() -> None:
    matched = (
        "    - {match: [{uri: {prefix: /x}}], route: [{destination: {host: back, subset: b}}]}\n"
    )
    assert of(SERVICE + matched + HALVES.lstrip("\n")).weights == {"a": 50, "b": 50}
    assert of(SERVICE + matched) == ExpectedSplit({"b": 100}, "subset")


def test_of_several_http_route_rules_the_one_without_matches_is_taken() -> None:
    matched = "\n    - {matches: [{path: {value: /x}}], backendRefs: [{name: back-v1, port: 80}]}\n"
    assert of(ROUTE.rstrip() + matched).weights == {"back-v1": 3, "back-v2": 1}


@pytest.mark.parametrize("to", ["other", "backup", "bac"])
def test_another_host_has_no_shares_here(to: str) -> None:
    with pytest.raises(UsageError, match=r"r\.yaml has 0 routes of .*; wanted one"):
        of(SERVICE + HALVES, to)


@pytest.mark.parametrize(
    ("file", "weights"),
    [
        ("svcb_v0_1_90_v0_2_10.yaml", {"v0.1": 90, "v0.2": 10}),
        ("svcb_v0_2_100.yaml", {"v0.1": 0, "v0.2": 100}),
        ("v1alpha2/route-rules-svcb-v0.2-50.yaml", {"v0.1": 50, "v0.2": 50}),
    ],
)
def test_our_own_rules(file: str, weights: dict[str, int]) -> None:
    read = read_expected_split(read_resources([RULES / file]), "svcb", file)
    assert (dict(read.weights), read.by) == (weights, "version")


@pytest.mark.parametrize("to", ["back", "back.shop", "back.shop.svc.cluster.local"])
def test_a_short_host_is_of_the_rules_namespace(to: str) -> None:
    text = (SUBSETS + SERVICE + HALVES).replace("name: back}", "name: back, namespace: shop}")
    assert of(text, to) == ExpectedSplit({"v1": 50, "v2": 50, "v3": 0}, "version")
    with pytest.raises(UsageError, match="0 routes"):
        of(text, "back.other")
    assert of(SERVICE + HALVES, "back.other").by == "subset", "its namespace is not known"


def test_so_many_requests_as_the_errors_ask_for() -> None:
    assert required_requests({"a": 1, "b": 1}, Errors()) > required_requests(
        {"a": 1, "b": 1}, Errors(shift=0.1)
    )
    assert required_requests({"a": 0, "b": 100}, Errors(shift=0.05)) == 270
    for weights, message in (({"a": 0}, "no shares"), ({}, "no shares"), ({"a": 1, "b": -1}, "no")):
        with pytest.raises(UsageError, match=message):
            required_requests(weights, Errors())
    with pytest.raises(UsageError, match=r"alternative=0\.9"):
        required_requests({"a": 1, "b": 1}, Errors(shift=0.9))
