"""DestinationRules for the hosts that RouteRules send to: 0.4's labels become v1's subsets.

``version=v0.1`` is subset ``version-v0-1``. The load balancer is 0.4's ROUND_ROBIN (v1 would take
LEAST_REQUEST), unless a DestinationRule for the host is applied beside: Istio merges the two, and
ours leaves the policy to the one that a user wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from meshproof.dialect.refs import Target
from meshproof.model.istio import DestinationRule, Subset
from meshproof.model.resource import Origin, Path, Resource, Source
from meshproof.translate.names import fqdn

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
    source: Source
    subsets: dict[str, Mapping[str, str]] = field(default_factory=dict)
    reused: set[str] = field(default_factory=set)
    """Subsets that the user's own DestinationRule declares already."""
    origins: dict[Path, Origin] = field(default_factory=dict)


class Subsets:
    """Collects hosts and labels while rules are lowered, then gives the DestinationRules."""

    def __init__(self, resources: Iterable[Resource], names: Names) -> None:
        self._names = names
        self._hosts: dict[str, _Host] = {}
        self._written: dict[str, list[DestinationRule]] = {}
        for resource in resources:
            if resource.kind == "DestinationRule":
                host = fqdn(resource.spec.host, resource.namespace)
                self._written.setdefault(host, []).append(resource.spec)

    def use(
        self, target: Target, labels: Mapping[str, str], rule: Resource, path: Path
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

    def destination_rules(self) -> list[Resource]:
        """One a host, in the order of first use; none where it would say nothing."""
        made = []
        for host in self._hosts.values():
            written = host.target.host in self._written
            if written and not host.subsets:
                continue
            made.append(_destination_rule(host, own_policy=not written))
        return made

    def _host(self, target: Target, rule: Resource, path: Path) -> _Host:
        if target.host not in self._hosts:
            short = target.host.split(".")[0]
            name = self._names.free("DestinationRule", target.namespace, short)
            source = Source(rule.source.file, rule.source.line_of(path))
            host = _Host(target, name, source, origins={(): rule.origin(path)})
            self._hosts[target.host] = host
        return self._hosts[target.host]


def _destination_rule(host: _Host, *, own_policy: bool) -> Resource:
    spec: dict[str, Any] = {"host": host.target.host}
    if host.subsets:
        spec["subsets"] = [
            Subset.model_validate({"name": name, "labels": labels})
            for name, labels in host.subsets.items()
        ]
    if own_policy:
        spec["trafficPolicy"] = {"loadBalancer": {"simple": "ROUND_ROBIN"}}
    return Resource(
        api_version=API_VERSION,
        kind="DestinationRule",
        name=host.name,
        namespace=host.target.namespace,
        labels={},
        spec=DestinationRule.model_validate(spec),
        source=Source(host.source.file, host.source.line, origins=host.origins),
    )


def _subset_name(labels: Mapping[str, str]) -> str:
    """``version=v0.1`` as ``version-v0-1``: what may stand in a DNS label, in lower case."""
    text = "-".join(f"{key}-{labels[key]}" for key in sorted(labels))
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
