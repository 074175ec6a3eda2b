"""Which workloads a policy is for: those of its namespace that its selector picks.

A policy of the root namespace is for every namespace (Istio: pilot/pkg/model,
PolicyMatcher and AuthorizationPolicies).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.model.workload_selector import WorkloadSelector
from meshproof.translate.registry import has_labels
from meshproof.translate.world import Named


class Selectable(Protocol):
    @property
    def selector(self) -> WorkloadSelector | None: ...

    @property
    def has_target(self) -> bool: ...


S = TypeVar("S", bound=Selectable)


def is_selected(selector: WorkloadSelector | None, labels: Mapping[str, str]) -> bool:
    """Without a selector everything is picked."""
    return selector is None or has_labels(labels, selector.match_labels)


def select_policies(
    rules: Iterable[Named[S]], namespace: str, labels: Mapping[str, str]
) -> Iterator[Named[S]]:
    """The rules for a workload, in the given order; what is attached to something else is none."""
    for rule in rules:
        if rule.spec.has_target:
            continue
        if rule.namespace in (namespace, ROOT_NAMESPACE) and is_selected(
            rule.spec.selector, labels
        ):
            yield rule
