"""The tutorial's three rules, and that YAML of what they become says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.istio04.lower import lower
from meshproof.model.destination_rule import DestinationRule
from meshproof.model.service_entry import ServiceEntry
from meshproof.model.virtual_service import VirtualService
from meshproof.model.yaml_writer import to_yaml

if TYPE_CHECKING:
    from meshproof.translate.world import Service
    from tests.istio04.conftest import Read

EGRESS = """
apiVersion: config.istio.io/v1alpha2
kind: EgressRule
metadata: {name: enable-svcb-engress-rule}
spec:
  destination: {service: 10.100.35.27}
  ports:
  - {port: 9997, protocol: http}
"""
HALF = """
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: route-rules-svcb}
spec:
  destination: {name: svcb}
  precedence: 1
  route:
  - labels: {version: v0.1}
    weight: 50
  - labels: {version: v0.2}
    weight: 50
"""
ALL = """
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: route-rules-svcb}
spec:
  destination: {name: svcb}
  precedence: 1
  route:
  - labels: {version: v0.2}
    weight: 100
"""
HOST = "svcb.default.svc.cluster.local"


def test_egress_opens_the_address(read: Read, services: list[Service]) -> None:
    (entry,) = lower(read(EGRESS), services)
    assert entry.title == "ServiceEntry default/enable-svcb-engress-rule"
    assert entry.spec == ServiceEntry.model_validate(
        {
            "hosts": ["enable-svcb-engress-rule.default.svc.cluster.local"],
            "addresses": ["10.100.35.27"],
            "ports": [{"number": 9997, "name": "http-9997", "protocol": "HTTP"}],
            "location": "MESH_EXTERNAL",
            "resolution": "STATIC",
            "endpoints": [{"address": "10.100.35.27"}],
        }
    )


def test_fifty_fifty(read: Read, services: list[Service]) -> None:
    rule, policy = lower(read(HALF), services)
    assert rule.title == "VirtualService default/route-rules-svcb"
    assert rule.spec == VirtualService.model_validate(
        {
            "hosts": [HOST],
            "http": [
                {
                    "name": "route-rules-svcb",
                    "route": [
                        {"destination": {"host": HOST, "subset": "version-v0-1"}, "weight": 50},
                        {"destination": {"host": HOST, "subset": "version-v0-2"}, "weight": 50},
                    ],
                    "timeout": "15s",
                    "retries": {"attempts": 0},
                }
            ],
        }
    )
    assert policy.spec == DestinationRule.model_validate(
        {
            "host": HOST,
            "subsets": [
                {"name": "version-v0-1", "labels": {"version": "v0.1"}},
                {"name": "version-v0-2", "labels": {"version": "v0.2"}},
            ],
            "trafficPolicy": {"loadBalancer": {"simple": "ROUND_ROBIN"}},
        }
    )


def test_everything_to_one_version_needs_no_weight(read: Read, services: list[Service]) -> None:
    rule, policy = lower(read(ALL), services)
    (route,) = rule.spec.http
    (to,) = route.route
    assert to.destination.subset == "version-v0-2"
    assert "weight" not in to.model_fields_set
    assert [s.name for s in policy.spec.subsets] == ["version-v0-2"]


def test_yaml_reads_back_the_same(read: Read, services: list[Service]) -> None:
    resources = lower([*read(EGRESS), *read(HALF)], services)
    text = to_yaml(resources)
    assert read(text) == resources
    assert to_yaml(read(text)) == text


def test_what_is_made_points_at_what_was_written(read: Read, services: list[Service]) -> None:
    rule, policy = lower(read(HALF), services)
    problem = rule.problem(("spec", "http", 0, "route", 1, "destination", "subset"), "x")
    assert str(problem) == (
        "rules.yaml:11: RouteRule default/route-rules-svcb: spec.route[1].labels: x"
    )
    problem = policy.problem(("spec", "subsets", 0, "labels"), "x")
    assert (problem.line, problem.field) == (9, "spec.route[0].labels")
