"""DestinationRules merged by host, and the policy that is in force for a port and a subset.

Istio: pilot/pkg/model, mergeDestinationRule in destination_rule.go; MergeTrafficPolicy in
pilot/pkg/networking/util.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from meshproof.model.destination_rule import (
    DestinationRule,
    PortTrafficPolicy,
    Subset,
    TrafficPolicy,
)
from meshproof.translate.host_names import covers, fqdn
from meshproof.translate.visibility import is_visible
from meshproof.translate.world import Named


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """DestinationRules of one host in one namespace, merged."""

    host: str
    namespace: str = ""
    export_to: frozenset[str] = frozenset()
    selector: Mapping[str, str] | None = None
    """Labels of the client workloads that it applies to; None for all."""
    policy: TrafficPolicy | None = None
    subsets: tuple[Subset, ...] = ()

    def policy_of(self, subset: str, port: int) -> TrafficPolicy:
        """The policy in force for a port and a subset (``""``: the host).

        A port's settings replace the whole policy (what they leave out is the default), within a
        subset too; a subset's policy overrides the host's block by block.
        """
        base = _at_port(self.policy, port)
        subset_policy = next((s.traffic_policy for s in self.subsets if s.name == subset), None)
        if subset_policy is None:
            return base
        override = _at_port(subset_policy, port)
        complete = _PORT_BLOCKS if override is not subset_policy else frozenset()
        blocks: dict[str, Any] = {
            name: getattr(override, name) or (None if name in complete else getattr(base, name))
            for name in _BLOCKS
        }
        return TrafficPolicy.model_construct(None, **blocks)

    def is_visible_to(self, namespace: str) -> bool:
        return is_visible(self.export_to, self.namespace, namespace)


_BLOCKS = tuple(name for name in TrafficPolicy.model_fields if name != "port_level_settings")
_PORT_BLOCKS = frozenset(PortTrafficPolicy.model_fields)
NO_RULE: Final = HostPolicy("")


def _at_port(policy: TrafficPolicy | None, port: int) -> TrafficPolicy:
    """Istio: MergeTrafficPolicy's port level, which never inherits."""
    if policy is None:
        return TrafficPolicy()
    for settings in policy.port_level_settings:
        if settings.port.number == port:
            blocks: dict[str, Any] = {name: getattr(settings, name, None) for name in _BLOCKS}
            return TrafficPolicy.model_construct(None, **blocks)
    return policy


def merge_rules(rules: Iterable[Named[DestinationRule]]) -> Mapping[str, tuple[HostPolicy, ...]]:
    """Rules by namespace. Those with the same host, visibility and selector are merged: the first
    policy wins, subsets are joined."""
    by_namespace: dict[str, dict[object, HostPolicy]] = {}
    for rule in rules:
        spec = rule.spec
        host, export_to = fqdn(spec.host, rule.namespace), frozenset(spec.export_to or ["*"])
        selector = spec.workload_selector.match_labels if spec.workload_selector else None
        key = (host, export_to, None if selector is None else tuple(sorted(selector.items())))
        policies = by_namespace.setdefault(rule.namespace, {})
        first = policies.get(key, HostPolicy(host, rule.namespace, export_to, selector))
        names = {s.name for s in first.subsets}
        new_subsets = tuple(s for s in spec.subsets if s.name not in names)
        policy = first.policy or spec.traffic_policy
        policies[key] = replace(first, policy=policy, subsets=first.subsets + new_subsets)
    return {namespace: tuple(policies.values()) for namespace, policies in by_namespace.items()}


def most_specific(rules: Iterable[HostPolicy], host: str) -> list[HostPolicy]:
    """The rules with the most specific host: the name itself, else the longest wildcard."""
    candidates = [r for r in rules if covers(r.host, host)]
    if not candidates:
        return []
    if any(r.host == host for r in candidates):
        return [r for r in candidates if r.host == host]
    longest = max((r.host for r in candidates), key=len)
    return [r for r in candidates if r.host == longest]
