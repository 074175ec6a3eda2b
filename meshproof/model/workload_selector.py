"""The workloads that a rule or a policy is for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Labels
from meshproof.model.string_types import NonEmpty


class WorkloadSelector(Model):
    """The selector of policies and DestinationRules (``istio.type``); an empty one selects every
    workload."""

    match_labels: Labels = {}


class NetworkingWorkloadSelector(Model):
    """The selector of Sidecars, ServiceEntries and EnvoyFilters (``istio.networking``)."""

    labels: Labels = {}


class TargetReference(Model):
    """The target of a policy: a Service or ServiceEntry of a waypoint, or a Gateway."""

    group: str = ""
    kind: NonEmpty
    name: NonEmpty
    namespace: Literal[""] | None = None
    """Istio accepts only the policy's own."""

    @model_validator(mode="after")
    def _has_known_kind(self) -> Self:
        if (self.group, self.kind) not in _TARGETS:
            expected = ", ".join(f"{kind} of {group or 'core'}" for group, kind in _TARGETS)
            raise FieldError(f'is "{self.kind}" of "{self.group}"; wanted {expected}', "kind")
        return self


_TARGETS = (
    ("", "Service"),
    ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
)


class WorkloadPolicy(Model):
    """A policy for workloads (``selector``, or all of them) or for a target.

    One with a target is for a Gateway of the Gateway API: sidecars and Istio's own gateways ignore
    it, and there are no waypoints here.
    """

    selector: WorkloadSelector | None = None
    target_ref: TargetReference | None = None
    target_refs: list[TargetReference] = []

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(map(bool, (self.selector is not None, self.target_ref, self.target_refs))) > 1:
            raise ValueError("has more than one of selector, targetRef, targetRefs; wanted one")
        return self

    @property
    def has_target(self) -> bool:
        """Whether it is for a target rather than for workloads."""
        return self.target_ref is not None or bool(self.target_refs)

    @property
    def gateway_targets(self) -> frozenset[str]:
        """The names of the Gateways of the Gateway API that it is for."""
        targets = [*self.target_refs, *([self.target_ref] if self.target_ref else [])]
        return names_of_gateways(targets)


def names_of_gateways(targets: Iterable[TargetReference]) -> frozenset[str]:
    return frozenset(target.name for target in targets if target.kind == "Gateway")
