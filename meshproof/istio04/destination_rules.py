"""DestinationRules for the hosts that RouteRules send to: 0.4's labels become v1's subsets.

``version=v0.1`` is subset ``version-v0-1``. The load balancer is 0.4's ROUND_ROBIN (v1 would take
LEAST_REQUEST) or a DestinationPolicy's, unless a DestinationRule for the host is applied too: Istio
merges the two, and the policy of the one that a user wrote goes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from meshproof.istio04.destination_policies import (
    NO_POLICY,
    ROUND_ROBIN,
    Labels,
    Policies,
    build_traffic_policy,
    label_key,
)
from meshproof.istio04.references import Callers, HostReference
from meshproof.istio04.unique_names import UniqueNames
from meshproof.model.destination_rule import DestinationRule
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath, Location, Origin
from meshproof.translate.host_names import fqdn

_TLS = {"mode": "SIMPLE", "insecureSkipVerify": True}
API_VERSION = "networking.istio.io/v1"


@dataclass
class _HostSubsets:
    """The subsets that RouteRules need of one host; ``name`` is the DestinationRule's."""

    target: HostReference
    name: str
    location: Location
    subsets: dict[str, Mapping[str, str]] = field(default_factory=dict)
    reused: set[str] = field(default_factory=set)
    """Subsets that the user's own DestinationRule already declares."""
    origins: dict[FieldPath, Origin] = field(default_factory=dict)
    tls_ports: list[int] = field(default_factory=list)
    """Ports at which the sidecar originates TLS."""


class DestinationRules:
    """Collects hosts and labels while rules are lowered, then builds the DestinationRules."""

    def __init__(self, resources: Iterable[Resource], names: UniqueNames) -> None:
        self._names = names
        self._hosts: dict[HostReference, _HostSubsets] = {}
        self._declared: dict[str, list[DestinationRule]] = {}
        for resource in resources:
            if resource.kind == "DestinationRule":
                host = fqdn(resource.spec.host, resource.namespace)
                self._declared.setdefault(host, []).append(resource.spec)

    def subset_for(
        self, target: HostReference, labels: Mapping[str, str], rule: Resource, path: FieldPath
    ) -> str | None:
        """The subset of ``target`` that carries ``labels``; None for the whole service."""
        host = self._host(target, rule, path)
        if not labels:
            return None
        name = _subset_name(labels)
        declared = {
            s.name: s.labels for d in self._declared.get(target.host, ()) for s in d.subsets
        }
        candidate, count = name, 2
        while {**declared, **host.subsets}.get(candidate, labels) != labels:
            candidate, count = f"{name}-{count}", count + 1
        if candidate in declared:
            host.reused.add(candidate)
        elif candidate not in host.subsets:
            host.origins["spec", "subsets", len(host.subsets)] = rule.origin((*path, "labels"))
            host.subsets[candidate] = dict(labels)
        return candidate

    def originate_tls(
        self, target: HostReference, port: int, rule: Resource, path: FieldPath
    ) -> None:
        """Connections to ``port`` of ``target`` become TLS; 0.4 verified no certificate."""
        host = self._host(target, rule, path)
        at = ("spec", "trafficPolicy", "portLevelSettings", len(host.tls_ports))
        host.origins[at] = rule.origin(path)
        host.tls_ports.append(port)

    def build(self, policies: Mapping[HostReference, Policies]) -> list[Resource]:
        """One for each host, in the order of first use, and one for each caller with policies of
        its own; none where it would be empty."""
        rules = []
        for host in self._hosts.values():
            is_declared = host.target.host in self._declared
            host_policies = policies.get(host.target)
            if host_policies is None:
                if host.subsets or host.tls_ports or not is_declared:
                    rules.append(self._rule(host, None if is_declared else {}))
                continue
            rules.append(self._rule(host, host_policies.for_all))
            for caller, caller_policies in host_policies.for_some:
                rules += self._for_caller(host, host_policies, caller, caller_policies, rules)
        return rules

    def _for_caller(
        self,
        host: _HostSubsets,
        host_policies: Policies,
        caller: Callers,
        caller_policies: Mapping[Labels, Resource],
        rules_so_far: list[Resource],
    ) -> list[Resource]:
        """The rules in the caller's namespace, where v1 looks first: its own, and the one for all
        other callers."""
        rules = [self._rule(host, caller_policies, caller.namespace, caller.labels)]
        has_rule = (
            r.namespace == caller.namespace for r in rules_so_far if r.spec.host == host.target.host
        )
        if not any(has_rule):
            rules.append(self._rule(host, host_policies.for_all, caller.namespace))
        return rules

    def _rule(
        self,
        host: _HostSubsets,
        policies: Mapping[Labels, Resource] | None,
        namespace: str = "",
        callers: Mapping[str, str] | None = None,
    ) -> Resource:
        """``policies`` by labels; None where a rule that a user wrote decides."""
        rule_namespace = namespace or host.target.namespace
        name = (
            host.name
            if not namespace
            else self._names.claim("DestinationRule", rule_namespace, host.name)
        )
        spec: dict[str, Any] = {"host": host.target.host}
        if callers is not None:
            spec["workloadSelector"] = {"matchLabels": dict(callers)}
        if host.subsets:
            spec["subsets"] = [
                {"name": n, "labels": dict(labels), **_subset_policy(labels, policies)}
                for n, labels in host.subsets.items()
            ]
        if policies is not None:
            spec["trafficPolicy"] = build_traffic_policy(policies.get(()))
        if host.tls_ports:
            policy = spec.setdefault("trafficPolicy", {})
            settings = [{"port": {"number": n}, **policy, "tls": _TLS} for n in host.tls_ports]
            spec["trafficPolicy"] = {**policy, "portLevelSettings": settings}
        return Resource(
            api_version=API_VERSION,
            kind="DestinationRule",
            name=name,
            namespace=rule_namespace,
            labels={},
            spec=DestinationRule.model_validate(spec),
            location=Location(host.location.file, host.location.line, origins=host.origins),
        )

    def _host(self, target: HostReference, rule: Resource, path: FieldPath) -> _HostSubsets:
        if target not in self._hosts:
            short = target.host.lstrip("*.-").split(".")[0]
            name = self._names.claim("DestinationRule", target.namespace, short)
            location = Location(rule.location.file, rule.location.line_of(path))
            host = _HostSubsets(target, name, location, origins={(): rule.origin(path)})
            self._hosts[target] = host
        return self._hosts[target]


def _subset_policy(
    labels: Mapping[str, str], policies: Mapping[Labels, Resource] | None
) -> dict[str, Any]:
    """A subset's own policy, which inherits nothing of the host's."""
    if policies is None:
        return {}
    host_policy, policy = build_traffic_policy(policies.get(())), policies.get(label_key(labels))
    blocks = {block: NO_POLICY[block] for block in host_policy} | build_traffic_policy(policy)
    return {} if policy is None and host_policy == ROUND_ROBIN else {"trafficPolicy": blocks}


def _subset_name(labels: Mapping[str, str]) -> str:
    """``version=v0.1`` as ``version-v0-1``: a lower-case DNS label."""
    text = "-".join(f"{key}-{labels[key]}" for key in sorted(labels))
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
