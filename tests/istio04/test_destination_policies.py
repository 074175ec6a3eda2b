"""DestinationPolicies as Istio 0.4 meant them: one cluster each, exactly its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from meshproof.errors import Refused
from meshproof.istio04.lower import lower
from meshproof.istio04.warnings import find_istio04_warnings
from meshproof.model.yaml_writer import to_yaml

if TYPE_CHECKING:
    from meshproof.translate.world import Service
    from tests.istio04.conftest import Read

HEAD = "---\napiVersion: config.istio.io/v1alpha2\n"
ROUTES = (
    f"{HEAD}kind: RouteRule\nmetadata: {{name: r}}\n"
    "spec: {destination: {name: svcb}, route: [{labels: {version: v1}, weight: 50},"
    " {labels: {version: v2}, weight: 50}]}\n"
)


def policy(spec: str, name: str = "p", namespace: str = "default") -> str:
    return (
        f"{HEAD}kind: DestinationPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{{spec}}}\n"
    )


TO_B = "destination: {name: svcb}"
TO_V1 = "destination: {name: svcb, labels: {version: v1}}"
RANDOM = "loadBalancing: {name: RANDOM}"
LEAST = "load_balancing: {name: LEAST_CONN}"


def rules(read: Read, services: list[Service], text: str) -> list[Any]:
    """The DestinationRules as plain data; their YAML must read back."""
    resources = [r for r in lower(read(text), services) if r.kind == "DestinationRule"]
    assert read(to_yaml(resources)) == resources
    return [r.spec.model_dump(mode="json", by_alias=True, exclude_unset=True) for r in resources]


def simple(name: str) -> dict[str, Any]:
    return {"loadBalancer": {"simple": name}}


def test_a_policy_is_for_the_unlabelled_cluster_alone(read: Read, services: list[Service]) -> None:
    (rule,) = rules(read, services, ROUTES + policy(f"{TO_B}, {RANDOM}"))
    assert rule["host"] == "svcb.default.svc.cluster.local"
    assert rule["trafficPolicy"] == simple("RANDOM")
    assert [s["trafficPolicy"] for s in rule["subsets"]] == [simple("ROUND_ROBIN")] * 2


def test_a_policy_with_labels_is_for_that_subset(read: Read, services: list[Service]) -> None:
    (rule,) = rules(read, services, ROUTES + policy(f"{TO_V1}, {LEAST}"))
    assert rule["trafficPolicy"] == simple("ROUND_ROBIN")
    first, second = rule["subsets"]
    assert (first["name"], first["trafficPolicy"]) == ("version-v1", simple("LEAST_REQUEST"))
    assert "trafficPolicy" not in second


def test_a_circuit_breaker_and_what_it_leaves_out(read: Read, services: list[Service]) -> None:
    breaker = (
        "circuitBreaker: {simple_cb: {max_connections: 5, httpMaxRequestsPerConnection: 7,"
        "sleep_window: 15m, httpConsecutiveErrors: 1, httpDetectionInterval: 10s}}"
    )
    (rule,) = rules(read, services, ROUTES + policy(f"{TO_B}, {breaker}"))
    assert rule["trafficPolicy"] == {
        "loadBalancer": {"simple": "ROUND_ROBIN"},
        "connectionPool": {
            "tcp": {"maxConnections": 5},
            "http": {
                "http1MaxPendingRequests": 1024,
                "http2MaxRequests": 1024,
                "maxRetries": 3,
                "maxRequestsPerConnection": 7,
            },
        },
        "outlierDetection": {
            "maxEjectionPercent": 10,
            "minHealthPercent": 50,
            "consecutive5xxErrors": 1,
            "interval": "10s",
            "baseEjectionTime": "900s",
        },
    }
    off = {
        "loadBalancer": {"simple": "ROUND_ROBIN"},
        "connectionPool": {"tcp": {}},
        "outlierDetection": {"consecutive5xxErrors": 0},
    }
    assert [s["trafficPolicy"] for s in rule["subsets"]] == [off, off], "they inherit nothing"


def test_of_two_policies_the_smaller_name_counts(read: Read, services: list[Service]) -> None:
    text = policy(f"{TO_B}, {RANDOM}", "b") + policy(f"{TO_B}, {LEAST}", "a")
    (rule,) = rules(read, services, text)
    assert rule["trafficPolicy"] == simple("LEAST_REQUEST")


def test_a_source_is_a_selector_in_the_caller_s_namespace(
    read: Read, services: list[Service]
) -> None:
    source = "source: {name: svca, labels: {version: v1}}"
    for_all, for_some = rules(read, services, policy(f"{TO_B}, {source}, {RANDOM}"))
    assert for_all["trafficPolicy"] == simple("ROUND_ROBIN")
    assert "workloadSelector" not in for_all
    assert for_some["workloadSelector"] == {"matchLabels": {"app": "svca", "version": "v1"}}
    assert for_some["trafficPolicy"] == simple("RANDOM")


def test_a_caller_elsewhere_gets_the_rule_for_all_too(read: Read, services: list[Service]) -> None:
    far = [*services, services[0].__class__("mars", "other", {"app": "mars"}, services[0].ports)]
    source = "source: {name: mars, namespace: other}"
    resources = [
        r
        for r in lower(read(policy(f"{TO_B}, {source}, {RANDOM}")), far)
        if r.kind == "DestinationRule"
    ]
    assert [(r.namespace, r.spec.workload_selector is not None) for r in resources] == [
        ("default", False),
        ("other", True),
        ("other", False),
    ]
    assert len({r.key for r in resources}) == 3


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (f"{TO_V1}, {RANDOM}", "no RouteRule sends to svcb.default"),
        (f"{TO_B}, source: {{name: nobody}}, {RANDOM}", "it is for no caller"),
        (f"{TO_B}, source: {{service: '*.x'}}, {RANDOM}", "there is no Service *.x; it is for no"),
        (f"{TO_B}, source: {{service: svca.default.svc.cluster.local}}, {RANDOM}", None),
        (f"{TO_B}, {RANDOM}", None),
    ],
)
def test_a_policy_without_effect_is_a_warning(
    read: Read, services: list[Service], spec: str, message: str | None
) -> None:
    warnings = [str(w) for w in find_istio04_warnings(read(policy(spec)), services)]
    assert len(warnings) == (message is not None)
    assert message is None or message in warnings[0]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (TO_B, "is empty"),
        (f"{TO_B}, loadBalancing: {{name: MAGIC}}", "MAGIC"),
        (f"{TO_B}, loadBalancing: {{custom: {{}}}}", "custom: is a field of Istio 0.4 that"),
        (f"destination: {{service: '*.x.test'}}, {RANDOM}", "is a wildcard"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(
    read: Read, services: list[Service], spec: str, message: str
) -> None:
    with pytest.raises(Refused) as refused:
        lower(read(policy(spec)), services)
    assert message in str(refused.value)


def test_cors_and_websockets_of_a_rule(read: Read, services: list[Service]) -> None:
    text = (
        f"{HEAD}kind: RouteRule\nmetadata: {{name: r}}\n"
        "spec: {destination: {name: svcb}, websocket_upgrade: true, cors_policy: {allow_origin:"
        " ['*'], allow_methods: [GET], max_age: 1d}}\n"
    ).replace("1d", "60s")
    (route_rule, *_) = lower(read(text), services)
    cors = route_rule.spec.http[0].cors_policy
    assert cors is not None
    assert [o.exact for o in cors.allow_origins] == ["*"]
    assert (cors.allow_methods, cors.max_age) == (["GET"], 60.0)
