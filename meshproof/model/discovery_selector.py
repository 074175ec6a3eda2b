"""MeshConfig's ``discoverySelectors``: the namespaces whose objects istiod reads.

Istio: pkg/kube/namespace/filter.go. Without selectors it reads all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Self

from pydantic import model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Labels
from meshproof.model.string_types import NonEmpty

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that Kubernetes gives every namespace: its name."""


class Requirement(Model):
    key: NonEmpty
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = []

    @model_validator(mode="after")
    def _has_values(self) -> Self:
        if (self.operator in ("In", "NotIn")) != bool(self.values):
            wanted = "at least one" if not self.values else "none"
            raise FieldError(f"do not fit {self.operator}; wanted {wanted}", "values")
        return self

    def fits(self, labels: Mapping[str, str]) -> bool:
        """As a label selector of Kubernetes: NotIn holds for a label that is not there."""
        if self.operator in ("Exists", "DoesNotExist"):
            return (self.key in labels) == (self.operator == "Exists")
        return (labels.get(self.key) in self.values) == (self.operator == "In")


class DiscoverySelector(Model):
    """An empty one selects every namespace."""

    match_labels: Labels = {}
    match_expressions: list[Requirement] = []

    def selects(self, labels: Mapping[str, str]) -> bool:
        return self.match_labels.items() <= labels.items() and all(
            requirement.fits(labels) for requirement in self.match_expressions
        )


class Discovery:
    """Which namespaces are read; ``labels`` are those of the declared ones."""

    def __init__(
        self, selectors: Iterable[DiscoverySelector], labels: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._selectors, self._labels = tuple(selectors), labels

    def reads(self, namespace: str) -> bool:
        """Whatever has no namespace is read."""
        if not self._selectors or not namespace:
            return True
        labels = {**self._labels.get(namespace, {}), NAME_LABEL: namespace}
        return any(selector.selects(labels) for selector in self._selectors)
