"""Workload selection: the policies that apply to a workload.

A policy selects workloads of its own namespace; one of the root namespace selects those of every
namespace (Istio: pilot/pkg/model, PolicyMatcher and AuthorizationPolicies).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from meshproof.model.workload_selector import WorkloadSelector
from meshproof.translate.world import Named


class Selectable(Protocol):
    @property
    def selector(self) -> WorkloadSelector | None: ...

    @property
    def has_target(self) -> bool: ...


GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
"""The label of the gateway that Istio starts for a Gateway of the Gateway API."""
S = TypeVar("S", bound=Selectable)


def has_labels(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    """Whether ``labels`` holds every pair of ``selector``."""
    return all(labels.get(key) == value for key, value in selector.items())


def is_selected(selector: WorkloadSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether a policy applies; one without a selector applies to every workload."""
    return selector is None or has_labels(labels, selector.match_labels)


def select_policies(
    rules: Iterable[Named[S]], namespace: str, labels: Mapping[str, str]
) -> Iterator[Named[S]]:
    """The policies of a workload, in the given order; those with a targetRef are for the gateway
    that Istio starts for a Gateway of the Gateway API in their namespace."""
    gateway = labels.get(GATEWAY_NAME)
    for rule in rules:
        if rule.spec.has_target:
            targets = getattr(rule.spec, "gateway_targets", ())
            if rule.namespace == namespace and gateway is not None and gateway in targets:
                yield rule
            continue
        applies = rule.namespace == namespace or rule.in_root
        if applies and is_selected(rule.spec.selector, labels):
            yield rule
