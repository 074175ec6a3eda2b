"""Local rate limits that overlap: an Envoy has one filter for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from meshproof.errors import Problem
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.model.resource import Resource

if TYPE_CHECKING:
    from meshproof.model.envoy_filter import EnvoyFilter


def find_conflicts(
    resources: Iterable[Resource], concerned: Iterable[Resource]
) -> Iterator[Problem]:
    """Each EnvoyFilter of ``concerned`` that may select a workload which another of ``resources``
    selects: their namespaces overlap, and no label separates their workloads."""
    filters = [r for r in resources if r.kind == "EnvoyFilter"]
    titles = {r.title for r in concerned}
    for index, one in enumerate(filters):
        for other in filters[:index]:
            if not {one.title, other.title} & titles or not _overlap(one, other):
                continue
            later, earlier = (one, other) if one.title in titles else (other, one)
            where = f"{earlier.title} ({earlier.location.file}:{earlier.location.line})"
            labelled = bool(_labels(later.spec))
            yield later.problem(
                ("spec", "workloadSelector", "labels") if labelled else ("spec",),
                f"may select workloads that {where} limits too, and one limit a workload is "
                "honoured here",
                "labels that tell them apart",
                "put both into one EnvoyFilter, or delete the other first",
            )


def _overlap(one: Resource, other: Resource) -> bool:
    namespaces = {one.namespace, other.namespace}
    if len(namespaces) > 1 and ROOT_NAMESPACE not in namespaces:
        return False
    if not one.spec.contexts() & other.spec.contexts():
        return False
    labels, others = _labels(one.spec), _labels(other.spec)
    return all(others[key] == labels[key] for key in labels.keys() & others.keys())


def _labels(rule: EnvoyFilter) -> dict[str, str]:
    return rule.workload_selector.labels if rule.workload_selector else {}
