"""What a change rebuilds and what it keeps: each sidecar's own part of a snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.embedded.config.certificate_authority import Authority
from meshproof.embedded.network_faults import NetworkFaults
from meshproof.embedded.snapshots import Snapshots
from meshproof.translate.gateway_workloads import gateway_workloads
from meshproof.translate.world import World
from meshproof.xds import codec
from tests.model.envoy_filters import FILTER
from tests.translate import builders
from tests.translate.policy_builders import JWKS, ROOT, peer, policy, rule

ECHO, OTHER = builders.ECHO[0], builders.replica("other", "v1", "127.60.0.5")
BEFORE = builders.world(replicas=(ECHO, OTHER))
FOR_ECHO = "{selector: {matchLabels: {app: echo}}%s}"
FIRST_PATCH, SECOND_PATCH = (
    rule("EnvoyFilter", f"workloadSelector: {{labels: {{app: {app}}}}}\nconfigPatches:\n{FILTER}")
    for app in ("nobody", "echo")
)
TOKENS = f", jwtRules: [{{issuer: i, jwks: '{JWKS}'}}]"


@pytest.fixture(scope="module")
def snapshots() -> Snapshots:
    return Snapshots(Authority(), NetworkFaults())


def _digests(snapshots: Snapshots, world: World) -> dict[str, dict[str, set[tuple[str, bytes]]]]:
    """Replica -> type -> names and digests."""
    logs = dict.fromkeys((ECHO.name, OTHER.name), "/dev/null")
    snapshots_by_node = snapshots.of(world, (ECHO, OTHER), logs)
    return {
        node: {t: {(n, e.digest) for n, e in s.of(t).items()} for t in codec.TYPES}
        for node, s in snapshots_by_node.items()
    }


@pytest.mark.parametrize(
    ("change", "types"),
    [
        ({"authorization_policies": (policy(FOR_ECHO % ""),)}, {codec.ROUTES}),
        (
            {"request_authentications": (rule("RequestAuthentication", FOR_ECHO % TOKENS),)},
            {codec.ROUTES, codec.LISTENERS},
        ),
        (
            {"telemetries": (rule("Telemetry", FOR_ECHO % ", accessLogging: [{disabled: true}]"),)},
            {codec.LISTENERS},
        ),
    ],
    ids=["authorization", "tokens", "telemetry"],
)
def test_a_policy_changes_those_that_it_selects_and_no_others(
    snapshots: Snapshots, change: dict[str, Any], types: set[str]
) -> None:
    before = _digests(snapshots, BEFORE)
    after = _digests(snapshots, replace(BEFORE, **change))
    assert after[OTHER.name] == before[OTHER.name]
    mine = {t for t in codec.TYPES if after[ECHO.name][t] != before[ECHO.name][t]}
    assert mine == types
    assert _digests(snapshots, BEFORE) == before


def test_a_patch_changes_those_that_it_selects(snapshots: Snapshots) -> None:
    """Without pods the first EnvoyFilter of a mesh gives each port a listener of its own, so there
    is another one before."""
    first = replace(BEFORE, envoy_filters=(FIRST_PATCH,))
    before = _digests(snapshots, first)
    after = _digests(snapshots, replace(first, envoy_filters=(FIRST_PATCH, SECOND_PATCH)))
    assert after[OTHER.name] == before[OTHER.name]
    mine = {t for t in codec.TYPES if after[ECHO.name][t] != before[ECHO.name][t]}
    assert mine == {codec.LISTENERS}


def test_a_mode_changes_the_server_s_listeners_and_its_callers_endpoints(
    snapshots: Snapshots,
) -> None:
    before = _digests(snapshots, BEFORE)
    modes = (peer(FOR_ECHO % ", mtls: {mode: DISABLE}"),)
    after = _digests(snapshots, replace(BEFORE, peer_authentications=modes))
    changed = {
        node: {t for t in codec.TYPES if after[node][t] != before[node][t]} for node in before
    }
    assert changed == {
        ECHO.name: {codec.LISTENERS, codec.ENDPOINTS},
        OTHER.name: {codec.ENDPOINTS},
    }


def test_tokens_change_a_gateway_s_listeners(snapshots: Snapshots) -> None:
    server = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"
    entrance = builders.gateway(f"{{selector: {{istio: ingressgateway}}, servers: [{server}]}}")
    plain = replace(BEFORE, gateways=(entrance,))
    picked = f"{{selector: {{matchLabels: {{istio: ingressgateway}}}}{TOKENS}}}"
    tokens = (rule("RequestAuthentication", picked, namespace=ROOT),)

    (ingress,) = gateway_workloads(())

    def listeners(world: World) -> set[bytes]:
        snapshot = snapshots.of_gateway(world, ingress, "127.60.1.1", {80: 80}, "/dev/null")
        return {e.digest for e in snapshot.of(codec.LISTENERS).values()}

    assert ingress.namespace == ROOT
    assert listeners(plain) != listeners(replace(plain, request_authentications=tokens))


def test_workloads_in_two_places_prefer_other_endpoints(snapshots: Snapshots) -> None:
    """They share one scope but for that."""
    places = {"echo-v1": "eu/1/a", "other-v1": "us/1/a"}
    near, far = (
        replace(r, labels={**r.labels, "istio-locality": places[r.name]}) for r in (ECHO, OTHER)
    )
    rule_of_echo = builders.destination_rule("{host: echo, trafficPolicy: {outlierDetection: {}}}")
    both = {"app": "echo"}
    twin = replace(far, labels={**far.labels, **both})
    world = builders.world(replicas=(near, twin), destination_rules=(rule_of_echo,))
    logs = dict.fromkeys((near.name, twin.name), "/dev/null")
    name = "outbound|80||echo.default.svc.cluster.local"
    orders = []
    for snapshot in snapshots.of(world, (near, twin), logs).values():
        assignment: Any = codec.decode(codec.ENDPOINTS, snapshot.of(codec.ENDPOINTS)[name])
        groups = assignment["endpoints"]
        orders.append({g["locality"]["region"]: g.get("priority", 0) for g in groups})
    assert orders == [{"eu": 0, "us": 1}, {"eu": 1, "us": 0}]
