"""DestinationPolicies as the traffic policies of a DestinationRule.

0.4 (pilot/proxy/envoy/policy.go) applied a policy to the one cluster with exactly its labels, and
of several for it the one with the smallest namespace/name. v1's subsets inherit instead, so a
subset without a policy of its own gets 0.4's defaults wherever the host has one.

- Limits that are not set are Envoy's own, 1024 (retries: 3), as 0.4 left them; v1 has no limit.
- A circuit breaker always meant outlier detection: five errors, at most 10 % ejected, and panic
  below half. v1 cannot express Envoy's detection by success rate, which 0.4 left on.
- ``source`` is a workloadSelector, which v1 honours only in the caller's own namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.errors import Problem
from meshproof.istio04.references import (
    Callers,
    HostReference,
    check_reference,
    resolve_callers,
    resolve_host,
)
from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import DestinationPolicy, MatchSource, SimpleCircuitBreaker
from meshproof.translate.world import Service

_LIMIT, _RETRIES, _EJECTED, _HEALTHY = 1024, 3, 10, 50
_BALANCERS = {"ROUND_ROBIN": "ROUND_ROBIN", "LEAST_CONN": "LEAST_REQUEST", "RANDOM": "RANDOM"}
ROUND_ROBIN: dict[str, Any] = {"loadBalancer": {"simple": "ROUND_ROBIN"}}
NO_POLICY: dict[str, Any] = {
    **ROUND_ROBIN,
    "connectionPool": {"tcp": {}},
    "outlierDetection": {"consecutive5xxErrors": 0},
}
"""0.4 without a policy, written out so that nothing is inherited."""

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies in force for one host, by labels: for all callers, and for some."""

    for_all: Mapping[Labels, Resource]
    for_some: Sequence[tuple[Callers, Mapping[Labels, Resource]]]


def label_key(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def group_by_host(
    resources: Iterable[Resource], services: Mapping[str, Service]
) -> dict[HostReference, Policies]:
    """The policies of each host. Those of a caller that cannot exist are left out."""
    groups: dict[HostReference, list[Resource]] = {}
    for policy in sorted(resources, key=lambda r: (r.namespace, r.name)):
        if policy.kind == "DestinationPolicy":
            groups.setdefault(resolve_host(policy.spec.destination, policy), []).append(policy)
    return {host: _policies_of_host(group, services) for host, group in groups.items()}


def _policies_of_host(group: Sequence[Resource], services: Mapping[str, Service]) -> Policies:
    sources = [(policy, resolve_source(policy, services)) for policy in group]
    for_all = _first_by_labels(p for p, caller in sources if caller is None)
    groups = [c for _, c in sources if isinstance(c, Callers)]
    return Policies(
        for_all,
        [
            (c, _first_by_labels(p for p, other in sources if other in (None, c)))
            for c in _distinct(groups)
        ],
    )


def _distinct(groups: Iterable[Callers]) -> Iterator[Callers]:
    distinct: list[Callers] = []
    for caller in groups:
        if caller not in distinct:
            distinct.append(caller)
            yield caller


def _first_by_labels(policies: Iterable[Resource]) -> dict[Labels, Resource]:
    """The first policy for each set of labels; they come in 0.4's order."""
    by_labels: dict[Labels, Resource] = {}
    for policy in policies:
        by_labels.setdefault(label_key(policy.spec.destination.labels), policy)
    return by_labels


def resolve_source(policy: Resource, services: Mapping[str, Service]) -> Callers | str | None:
    """The callers that a policy is for: None for all; a text says why there are none."""
    source = policy.spec.source
    if source is None:
        return None
    fields = source.model_dump(by_alias=True, include={"name", "namespace", "labels"})
    if source.service:
        service = services.get(source.service)
        if service is None:
            return f"there is no Service {source.service}"
        fields |= {"name": service.name, "namespace": service.namespace}
    return resolve_callers(MatchSource.model_validate(fields), policy, services)


def check_policy(policy: Resource) -> list[Problem]:
    """What ``policy`` says that is not honoured: hosts that are no service."""
    return check_reference(policy.spec.destination, policy, ("spec", "destination"))


def build_traffic_policy(policy: Resource | None) -> dict[str, Any]:
    """``trafficPolicy`` as plain data; 0.4's default load balancer where nothing is set."""
    if policy is None:
        return dict(ROUND_ROBIN)
    spec: DestinationPolicy = policy.spec
    fields = dict(ROUND_ROBIN)
    if spec.load_balancing is not None:
        fields["loadBalancer"] = {"simple": _BALANCERS[spec.load_balancing.name]}
    if spec.circuit_breaker is not None:
        fields |= _build_circuit_breaker(spec.circuit_breaker.simple_cb)
    return fields


def _build_circuit_breaker(rule: SimpleCircuitBreaker) -> dict[str, Any]:
    http: dict[str, Any] = {
        "http1MaxPendingRequests": rule.http_max_pending_requests or _LIMIT,
        "http2MaxRequests": rule.http_max_requests or _LIMIT,
        "maxRetries": _RETRIES,
    }
    if rule.http_max_requests_per_connection:
        http["maxRequestsPerConnection"] = rule.http_max_requests_per_connection
    outlier: dict[str, Any] = {
        "maxEjectionPercent": rule.http_max_ejection_percent or _EJECTED,
        "minHealthPercent": _HEALTHY,
    }
    for name, value in (
        ("consecutive5xxErrors", rule.http_consecutive_errors),
        ("interval", rule.http_detection_interval),
        ("baseEjectionTime", rule.sleep_window),
    ):
        if value:
            outlier[name] = value
    tcp = {"maxConnections": rule.max_connections or _LIMIT}
    return {"connectionPool": {"tcp": tcp, "http": http}, "outlierDetection": outlier}
