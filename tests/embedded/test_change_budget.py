"""What one change costs, counted: work for what did not change must not come back unseen.

The counts are of calls, at two sizes of mesh. What may grow with the mesh is in ``GROWS``.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from meshproof.embedded import snapshots
from meshproof.embedded.pod import deployments
from meshproof.model.validation import rules
from meshproof.translate import proxy_view, routes
from meshproof.xds import codec
from tests.embedded.control_plane import ControlPlane

RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: app-3, namespace: many}}
spec:
  hosts: [app-3]
  http: [{{route: [{{destination: {{host: app-3}}}}], timeout: {seconds}s}}]
"""
DESTINATION = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: app-3, namespace: many}}
spec: {{host: app-3, trafficPolicy: {{connectionPool: {{tcp: {{maxConnections: {seconds}}}}}}}}}
"""
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: app-3, namespace: many}}
spec:
  selector: {{matchLabels: {{app: app-3}}}}
  rules: [{{to: [{{operation: {{paths: ["/{seconds}"]}}}}]}}]
"""
OTHER_PORT = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: other, namespace: many}}
spec:
  hosts: [other.test]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: {port}, name: http, protocol: HTTP}}]
  endpoints: [{{address: 127.0.0.9}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: other, namespace: many}}
spec:
  hosts: [other.test]
  http: [{{route: [{{destination: {{host: other.test}}}}], timeout: {seconds}s}}]
"""
COUNTED = {
    "messages encoded": (codec, "_encode_message"),
    "workloads built": (deployments, "_build_all"),
    "registries built": (proxy_view, "hosts"),
    "sets of clusters built": (snapshots, "build_outbound_clusters"),
    "sets of routes built": (snapshots, "build_routes"),
    "rules routed": (routes, "_build_rule_routes"),
    "sidecars built": (snapshots, "build_sidecar"),
    "gateways built": (snapshots, "build_gateway"),
    "documents judged": (rules, "find_violations"),
}


@contextmanager
def counting() -> Iterator[Counter[str]]:
    calls: Counter[str] = Counter()

    def counter(name: str, function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return function(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name, (module, attribute) in COUNTED.items():
            patch.setattr(module, attribute, counter(name, getattr(module, attribute)))
        yield calls


def cost(size: int, text: str) -> tuple[dict[str, int], dict[str, list[str]]]:
    """The calls of one change to what is already there, and what each Envoy is sent."""
    plane = ControlPlane(size)
    plane.apply(text.format(seconds=next(_NUMBERS)))
    with counting() as calls:
        changes = plane.apply(text.format(seconds=next(_NUMBERS)))
    return dict(calls), changes


_NUMBERS = itertools.count(5)
"""No two changes are equal: what was encoded once is kept."""


SIZES = (10, 40)


@pytest.mark.parametrize("size", SIZES)
def test_a_rule_of_one_host_builds_one_table_and_encodes_that_host(size: int) -> None:
    calls, changes = cost(size, RULE)
    assert calls == {
        "messages encoded": 1,
        "sets of routes built": 2,  # of all sidecars, and of the gateway
        "rules routed": 1,
        "documents judged": 1,
    }
    assert {node: names for node, names in changes.items() if names} == {
        f"app-{number}-1": ["outbound"] for number in range(size)
    }


@pytest.mark.parametrize("port", [81, 8080])
def test_a_rule_of_one_port_leaves_the_tunnels_of_all_others_alone(port: int) -> None:
    plane = ControlPlane(3)
    plane.apply(OTHER_PORT.format(port=port, seconds=1))
    changes = plane.apply(OTHER_PORT.format(port=port, seconds=2))
    assert set(map(tuple, changes.values())) == {("outbound", str(port)), ()}
    changes = plane.apply(RULE.format(seconds=next(_NUMBERS)))
    assert set(map(tuple, changes.values())) == {("outbound",), ()}


@pytest.mark.parametrize("size", SIZES)
def test_a_destination_rule_encodes_the_clusters_of_its_host(size: int) -> None:
    calls, changes = cost(size, DESTINATION)
    assert calls["messages encoded"] == 2  # the cluster of all callers, and the app's own
    assert calls["sidecars built"] == 1
    assert calls["sets of clusters built"] == 2
    assert "registries built" not in calls
    assert {len(names) for names in changes.values()} <= {1, 2}


@pytest.mark.parametrize("size", SIZES)
def test_a_policy_of_one_workload_builds_that_sidecar(size: int) -> None:
    calls, changes = cost(size, POLICY)
    assert calls["sidecars built"] == 1
    assert "sets of clusters built" not in calls
    assert [node for node, names in changes.items() if names] == ["app-3-1"]


def test_the_same_again_costs_nothing_that_grows() -> None:
    plane = ControlPlane(10)
    plane.apply(RULE.format(seconds=5))
    with counting() as calls:
        changes = plane.apply(RULE.format(seconds=5))
    assert calls["messages encoded"] == 0
    assert not any(changes.values())
