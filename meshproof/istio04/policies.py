"""DestinationPolicies as the traffic policies of a DestinationRule.

0.4 (pilot/proxy/envoy/policy.go) applied a policy to the one cluster with exactly its labels, and
of several for it the one with the smallest namespace/name. v1's subsets inherit instead, so a
subset without a policy of its own is told 0.4's defaults wherever the host has one.

- Limits that are not set are Envoy's own, 1024 (retries: 3), as 0.4 left them; v1 has no limit.
- A circuit breaker always meant outlier detection: five errors, at most 10 % ejected, and panic
  below half. Envoy's detection by success rate, which 0.4 left on, cannot be said in v1.
- ``source`` is a workloadSelector, which v1 honours in the caller's own namespace alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.errors import Problem
from meshproof.istio04.refs import Callers, Target, callers, problems_of, target
from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import DestinationPolicy, MatchSource, SimpleCircuitBreaker
from meshproof.translate.world import Service

_LIMIT, _RETRIES, _EJECTED, _HEALTHY = 1024, 3, 10, 50
_BALANCERS = {"ROUND_ROBIN": "ROUND_ROBIN", "LEAST_CONN": "LEAST_REQUEST", "RANDOM": "RANDOM"}
ROUND_ROBIN: dict[str, Any] = {"loadBalancer": {"simple": "ROUND_ROBIN"}}
OFF: dict[str, Any] = {
    **ROUND_ROBIN,
    "connectionPool": {},
    "outlierDetection": {"consecutive5xxErrors": 0},
}
"""0.4 without a policy, said so that nothing is inherited."""

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Policies:
    """What is in force for one host: by labels, for all callers or for some."""

    for_all: Mapping[Labels, Resource]
    for_some: Sequence[tuple[Callers, Mapping[Labels, Resource]]]


def key(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def by_host(
    resources: Iterable[Resource], services: Mapping[str, Service]
) -> dict[Target, Policies]:
    """The policies of each host. Those of a caller that cannot exist are left out."""
    groups: dict[Target, list[Resource]] = {}
    for policy in sorted(resources, key=lambda r: (r.namespace, r.name)):
        if policy.kind == "DestinationPolicy":
            groups.setdefault(target(policy.spec.destination, policy), []).append(policy)
    return {host: _policies(group, services) for host, group in groups.items()}


def _policies(group: Sequence[Resource], services: Mapping[str, Service]) -> Policies:
    who = [(policy, caller_of(policy, services)) for policy in group]
    for_all = _first(p for p, caller in who if caller is None)
    some = [c for _, c in who if isinstance(c, Callers)]
    return Policies(
        for_all,
        [(c, _first(p for p, other in who if other in (None, c))) for c in _distinct(some)],
    )


def _distinct(some: Iterable[Callers]) -> Iterator[Callers]:
    seen: list[Callers] = []
    for caller in some:
        if caller not in seen:
            seen.append(caller)
            yield caller


def _first(policies: Iterable[Resource]) -> dict[Labels, Resource]:
    """By labels; the first of equal ones counts, and they come in 0.4's order."""
    found: dict[Labels, Resource] = {}
    for policy in policies:
        found.setdefault(key(policy.spec.destination.labels), policy)
    return found


def caller_of(policy: Resource, services: Mapping[str, Service]) -> Callers | str | None:
    """Whom a policy is for: None for all; a text says why it is for nobody."""
    source = policy.spec.source
    if source is None:
        return None
    fields = source.model_dump(by_alias=True, include={"name", "namespace", "labels"})
    if source.service:
        known = services.get(source.service)
        if known is None:
            return f"there is no Service {source.service}"
        fields |= {"name": known.name, "namespace": known.namespace}
    return callers(MatchSource.model_validate(fields), policy, services)


def policy_problems(policy: Resource) -> list[Problem]:
    """What of ``policy`` is not honoured: hosts that are no service."""
    return problems_of(policy.spec.destination, policy, ("spec", "destination"))


def traffic_policy(policy: Resource | None) -> dict[str, Any]:
    """``trafficPolicy`` in YAML's form; 0.4's default balancer where nothing is said."""
    if policy is None:
        return dict(ROUND_ROBIN)
    spec: DestinationPolicy = policy.spec
    made = dict(ROUND_ROBIN)
    if spec.load_balancing is not None:
        made["loadBalancer"] = {"simple": _BALANCERS[spec.load_balancing.name]}
    if spec.circuit_breaker is not None:
        made |= _breaker(spec.circuit_breaker.simple_cb)
    return made


def _breaker(rule: SimpleCircuitBreaker) -> dict[str, Any]:
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
