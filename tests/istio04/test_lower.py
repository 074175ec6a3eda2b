"""Which rules become one VirtualService, in which order, and beside what a user wrote in v1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.istio04.lower import lower
from meshproof.model.resource import Resource

if TYPE_CHECKING:
    from meshproof.translate.world import Service
    from tests.istio04.conftest import Read

RULE = """
---
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {{name: {name}}}
spec:
  destination: {{name: svcb}}
  precedence: {precedence}
  match: {{request: {{headers: {{uri: {{prefix: {uri}}}}}}}}}
"""
DESTINATION_RULE = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: svcb}
spec:
  host: svcb
  trafficPolicy: {loadBalancer: {simple: RANDOM}}
  subsets: [{name: version-v1, labels: {version: LABEL}}]
"""
TO_V1 = """
---
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: to-v1}
spec:
  destination: {name: svcb}
  route: [{labels: {version: v1}}, {labels: {version: v2}, weight: 100}]
"""


def names(resources: list[Resource]) -> list[str]:
    return [r.name for r in resources[0].spec.http]


def test_higher_precedence_first_ties_by_name(read: Read, services: list[Service]) -> None:
    text = "".join(
        RULE.format(name=n, precedence=p, uri="/x") for n, p in [("c", 1), ("b", 1), ("a", 0)]
    ) + RULE.format(name="z", precedence=9, uri="/y")
    resources = lower(read(text), services)
    assert names(resources) == ["z", "b", "c", "a", "default-route"]
    assert resources[0].name == "c", "named after the oldest"


def test_no_default_route_behind_a_catch_all(read: Read, services: list[Service]) -> None:
    text = RULE.format(name="a", precedence=2, uri="/") + RULE.format(
        name="b", precedence=1, uri="/x"
    )
    assert names(lower(read(text), services)) == ["a", "b"]


def test_catch_all_of_one_caller_leaves_the_default_route(
    read: Read, services: list[Service]
) -> None:
    text = RULE.format(name="a", precedence=2, uri="/").replace(
        "match: {", "match: {source: {name: svca}, "
    )
    assert names(lower(read(text), services)) == ["a", "default-route"]


def test_other_resources_stay_in_their_places(read: Read, services: list[Service]) -> None:
    other = read(DESTINATION_RULE)[0]
    resources = lower([*read(TO_V1), other], services)
    assert resources[1] is other
    assert [r.kind for r in resources] == ["VirtualService", "DestinationRule", "DestinationRule"]
    assert lower([other], services) == [other]


def test_a_written_policy_is_left_alone_and_its_subset_reused(
    read: Read, services: list[Service]
) -> None:
    resources = lower(read(DESTINATION_RULE.replace("LABEL", "v1") + TO_V1), services)
    mine = resources[-1]
    assert mine.name == "svcb-v1alpha2", "the name svcb is taken"
    assert mine.spec.traffic_policy is None
    assert [s.name for s in mine.spec.subsets] == ["version-v2"]
    assert resources[1].spec.http[0].route[0].destination.subset == "version-v1"


def test_a_written_subset_of_other_labels_is_not_taken_for_ours(
    read: Read, services: list[Service]
) -> None:
    resources = lower(read(DESTINATION_RULE.replace("LABEL", "v9") + TO_V1), services)
    assert resources[1].spec.http[0].route[0].destination.subset == "version-v1-2"
    assert resources[-1].spec.subsets[0].labels == {"version": "v1"}


def test_labels_that_spell_the_same_get_two_subsets(read: Read, services: list[Service]) -> None:
    resources = lower(
        read(TO_V1.replace("version: v1}", "version: v-2}").replace("v2}", "v.2}")), services
    )
    assert {s.name: s.labels["version"] for s in resources[-1].spec.subsets} == {
        "version-v-2": "v-2",
        "version-v-2-2": "v.2",
    }


def test_a_rule_of_another_namespace_goes_to_the_destinations(
    read: Read, services: list[Service]
) -> None:
    text = TO_V1.replace("{name: svcb}", "{name: far, namespace: other}")
    resources = lower(read(text), services)
    assert [r.title for r in resources] == [
        "VirtualService other/to-v1",
        "DestinationRule other/far",
    ]
