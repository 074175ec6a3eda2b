"""Localities: of a label, of a client, and how far apart two of them are."""

from __future__ import annotations

import pytest

from meshproof.model.locality import NOWHERE, Locality, locality_of, locality_of_proxy


@pytest.mark.parametrize(
    ("labels", "locality"),
    [
        ({}, ()),
        ({"istio-locality": "eu.eu-1.a"}, ("eu", "eu-1", "a")),
        ({"istio-locality": "eu/eu.1/a"}, ("eu", "eu.1", "a")),
        ({"istio-locality": "eu"}, ("eu",)),
        ({"istio-locality": "us", "topology.istio.io/locality": "eu"}, ("eu",)),
        ({"istio-locality": "us", "topology.istio.io/locality": ""}, ()),
        ({"topology.kubernetes.io/region": "eu"}, ()),
    ],
)
def test_a_pod_is_where_its_label_says(labels: dict[str, str], locality: tuple[str, ...]) -> None:
    assert locality_of(labels) == Locality(*locality)


def test_a_client_is_also_where_the_labels_of_its_place_say() -> None:
    labels = {"topology.kubernetes.io/region": "eu", "topology.istio.io/subzone": "a"}
    assert locality_of_proxy(labels) == Locality("eu", "", "a")
    assert locality_of_proxy({**labels, "istio-locality": "us.us-1"}) == Locality("us", "us-1", "a")
    assert locality_of_proxy({"app": "svca"}) == NOWHERE


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("eu/eu-1/a", True),
        ("eu", True),
        ("eu/*", True),
        ("*", True),
        ("eu/*/a", True),
        ("eu/eu-2", False),
        ("eu/eu-1/b", False),
        ("us/*", False),
        ("e*", False),
    ],
)
def test_a_pattern_means_a_place_and_what_is_in_it(pattern: str, *, matches: bool) -> None:
    assert Locality("eu", "eu-1", "a").matches(pattern) is matches


@pytest.mark.parametrize(
    ("other", "distance"),
    [("eu/eu-1/a", 0), ("eu/eu-1/b", 1), ("eu/eu-2/a", 2), ("us/eu-1/a", 3), ("", 3)],
)
def test_distance(other: str, distance: int) -> None:
    assert Locality("eu", "eu-1", "a").distance(Locality.parse(other)) == distance
