"""The patches of one proxy, with their values parsed, and which of them have found a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from meshproof.envoy_filters.messages import parse
from meshproof.model.envoy_filter_patches import GeneralEnvoyFilter, GeneralPatch
from meshproof.translate.workload_selection import select_policies
from meshproof.translate.world import Named, Proxy, World

PatchKey = tuple[str, str, int]
"""Namespace and name of an EnvoyFilter, and the number of a patch."""


@dataclass(frozen=True)
class Rule:
    """One patch; ``value`` is its message, None for REMOVE."""

    key: PatchKey
    patch: GeneralPatch
    value: Any


@dataclass
class Rules:
    """Of one proxy, in Istio's order: by priority, the root namespace's before its own."""

    rules: tuple[Rule, ...]
    matched: set[PatchKey] = field(default_factory=set)
    """Those that have changed something."""

    def of(self, apply_to: str, context: str) -> Iterator[Rule]:
        for rule in self.rules:
            match = rule.patch.match
            if rule.patch.apply_to == apply_to and match.context in ("ANY", context):
                yield rule

    def mark(self, rule: Rule, *, applied: bool = True) -> None:
        if applied:
            self.matched.add(rule.key)


def select_filters(world: World, proxy: Proxy) -> list[Named[GeneralEnvoyFilter]]:
    """The EnvoyFilters that apply to a proxy (Istio: PushContext.getMatchedEnvoyFilters)."""
    if proxy.kind == "relay":
        return []
    chosen = select_policies(world.envoy_patches, proxy.namespace, proxy.labels)
    return sorted(chosen, key=lambda f: (f.spec.priority, f.namespace == proxy.namespace))


def collect_rules(filters: Iterable[Named[GeneralEnvoyFilter]]) -> Rules:
    """Raises ValueError for a value that is not Envoy's; admission has seen to that."""
    return Rules(
        tuple(
            Rule((f.namespace, f.name, index), patch, _value(patch))
            for f in filters
            for index, patch in enumerate(f.spec.config_patches)
        )
    )


def _value(patch: GeneralPatch) -> Any:
    value = patch.patch.value
    return None if value is None else parse(patch.apply_to, value)
