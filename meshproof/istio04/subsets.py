"""DestinationRules for the hosts that RouteRules send to: 0.4's labels become v1's subsets.

``version=v0.1`` is subset ``version-v0-1``. The load balancer is 0.4's ROUND_ROBIN (v1 would take
LEAST_REQUEST) or a DestinationPolicy's, unless a DestinationRule for the host is applied beside:
Istio merges the two, and the policy of the one that a user wrote goes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from meshproof.istio04.policies import OFF, ROUND_ROBIN, Labels, Policies, key, traffic_policy
from meshproof.istio04.refs import Callers, Target
from meshproof.model.destination_rule import DestinationRule
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath, Location, Origin
from meshproof.translate.host_names import fqdn

API_VERSION = "networking.istio.io/v1"


@dataclass
class Names:
    """Names that are taken, so that what is made never replaces what a user wrote."""

    taken: set[tuple[str, str, str]]

    def free(self, kind: str, namespace: str, wanted: str) -> str:
        """``wanted``, else ``wanted-v1alpha2``, else that with a number; taken from then on."""
        name, count = wanted, 1
        while (kind, namespace, name) in self.taken:
            name = f"{wanted}-v1alpha2" if count == 1 else f"{wanted}-v1alpha2-{count}"
            count += 1
        self.taken.add((kind, namespace, name))
        return name


@dataclass
class _Host:
    """What RouteRules need of one host; ``name`` is the DestinationRule's."""

    target: Target
    name: str
    location: Location
    subsets: dict[str, Mapping[str, str]] = field(default_factory=dict)
    reused: set[str] = field(default_factory=set)
    """Subsets that the user's own DestinationRule declares already."""
    origins: dict[FieldPath, Origin] = field(default_factory=dict)


class Subsets:
    """Collects hosts and labels while rules are lowered, then gives the DestinationRules."""

    def __init__(self, resources: Iterable[Resource], names: Names) -> None:
        self._names = names
        self._hosts: dict[Target, _Host] = {}
        self._written: dict[str, list[DestinationRule]] = {}
        for resource in resources:
            if resource.kind == "DestinationRule":
                host = fqdn(resource.spec.host, resource.namespace)
                self._written.setdefault(host, []).append(resource.spec)

    def use(
        self, target: Target, labels: Mapping[str, str], rule: Resource, path: FieldPath
    ) -> str | None:
        """The subset of ``target`` that carries ``labels``; None for the whole service."""
        host = self._host(target, rule, path)
        if not labels:
            return None
        name = _subset_name(labels)
        declared = {s.name: s.labels for d in self._written.get(target.host, ()) for s in d.subsets}
        candidate, count = name, 2
        while {**declared, **host.subsets}.get(candidate, labels) != labels:
            candidate, count = f"{name}-{count}", count + 1
        if candidate in declared:
            host.reused.add(candidate)
        elif candidate not in host.subsets:
            host.origins["spec", "subsets", len(host.subsets)] = rule.origin((*path, "labels"))
            host.subsets[candidate] = dict(labels)
        return candidate

    def destination_rules(self, policies: Mapping[Target, Policies]) -> list[Resource]:
        """One a host, in the order of first use, and one for each caller with policies of its
        own; none where it would say nothing."""
        made = []
        for host in self._hosts.values():
            written = host.target.host in self._written
            own = policies.get(host.target)
            if own is None:
                if host.subsets or not written:
                    made.append(self._rule(host, None if written else {}))
                continue
            made.append(self._rule(host, own.for_all))
            for caller, chosen in own.for_some:
                made += self._for_caller(host, own, caller, chosen, made)
        return made

    def _for_caller(
        self,
        host: _Host,
        own: Policies,
        caller: Callers,
        chosen: Mapping[Labels, Resource],
        made: list[Resource],
    ) -> list[Resource]:
        """In the caller's namespace, where v1 looks first: its own rule, and there too the one for
        all others."""
        rules = [self._rule(host, chosen, caller.namespace, caller.labels)]
        known = (r.namespace == caller.namespace for r in made if r.spec.host == host.target.host)
        if not any(known):
            rules.append(self._rule(host, own.for_all, caller.namespace))
        return rules

    def _rule(
        self,
        host: _Host,
        policies: Mapping[Labels, Resource] | None,
        namespace: str = "",
        callers: Mapping[str, str] | None = None,
    ) -> Resource:
        """``policies`` by labels; None where a rule that a user wrote has the say."""
        where = namespace or host.target.namespace
        name = host.name if not namespace else self._names.free("DestinationRule", where, host.name)
        spec: dict[str, Any] = {"host": host.target.host}
        if callers is not None:
            spec["workloadSelector"] = {"matchLabels": dict(callers)}
        if host.subsets:
            spec["subsets"] = [
                {"name": n, "labels": dict(labels), **_subset_policy(labels, policies)}
                for n, labels in host.subsets.items()
            ]
        if policies is not None:
            spec["trafficPolicy"] = traffic_policy(policies.get(()))
        return Resource(
            api_version=API_VERSION,
            kind="DestinationRule",
            name=name,
            namespace=where,
            labels={},
            spec=DestinationRule.model_validate(spec),
            location=Location(host.location.file, host.location.line, origins=host.origins),
        )

    def _host(self, target: Target, rule: Resource, path: FieldPath) -> _Host:
        if target not in self._hosts:
            short = target.host.split(".")[0]
            name = self._names.free("DestinationRule", target.namespace, short)
            location = Location(rule.location.file, rule.location.line_of(path))
            host = _Host(target, name, location, origins={(): rule.origin(path)})
            self._hosts[target] = host
        return self._hosts[target]


def _subset_policy(
    labels: Mapping[str, str], policies: Mapping[Labels, Resource] | None
) -> dict[str, Any]:
    """A subset's own policy, and nothing of the host's in what it leaves out."""
    if policies is None:
        return {}
    top, own = traffic_policy(policies.get(())), policies.get(key(labels))
    made = {block: OFF[block] for block in top} | traffic_policy(own)
    return {} if own is None and top == ROUND_ROBIN else {"trafficPolicy": made}


def _subset_name(labels: Mapping[str, str]) -> str:
    """``version=v0.1`` as ``version-v0-1``: what may stand in a DNS label, in lower case."""
    text = "-".join(f"{key}-{labels[key]}" for key in sorted(labels))
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
