"""What every check reads: the applied rules by kind, and which hosts exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from meshproof.model.mesh_config import NO_MESH_CONFIG, MeshConfig
from meshproof.model.mesh_config_sources import mesh_config_of
from meshproof.model.resource import Resource
from meshproof.model.virtual_service_route import Destination
from meshproof.sources.location import FieldPath
from meshproof.translate.host_names import covers, fqdn
from meshproof.translate.world import Service

MESH = "mesh"


@dataclass(frozen=True)
class LintContext:
    """``resources`` in order of creation, 0.4's rules lowered; ``pods`` as (namespace, labels)."""

    resources: Sequence[Resource]
    services: Sequence[Service]
    pods: Sequence[tuple[str, Mapping[str, str]]]
    accounts: Collection[tuple[str, str]] = ()
    """(namespace, service account) that pods run as; empty where that is not known."""

    def of(self, kind: str) -> list[Resource]:
        return list(self._by_kind.get(kind, ()))

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Resource]]:
        by_kind: dict[str, list[Resource]] = {}
        for resource in self.resources:
            by_kind.setdefault(resource.kind, []).append(resource)
        return by_kind

    @cached_property
    def mesh(self) -> MeshConfig:
        """As far as resources say it; a project's own is not known here."""
        return mesh_config_of(self.resources, NO_MESH_CONFIG)

    @cached_property
    def by_fqdn(self) -> Mapping[str, Service]:
        return {s.fqdn: s for s in self.services}

    @cached_property
    def services_of_pods(self) -> Collection[tuple[Resource, ...]]:
        """The Services that select a pod, in order of creation, for each pod that has any. Each
        combination once, however many pods have it."""
        by_label: dict[tuple[str, str, str], list[tuple[int, Resource]]] = {}
        for number, service in enumerate(self.of("Service")):
            for name, value in service.spec.selector.items():
                by_label.setdefault((service.namespace, name, value), []).append((number, service))
                break  # a pod with all labels of the selector has its first one
        combinations: dict[tuple[int, ...], tuple[Resource, ...]] = {}
        for namespace, labels in self.pods:
            candidates = (s for n, v in labels.items() for s in by_label.get((namespace, n, v), ()))
            chosen = {n: s for n, s in candidates if s.spec.selector.items() <= labels.items()}
            numbers = tuple(sorted(chosen))
            combinations.setdefault(numbers, tuple(chosen[n] for n in numbers))
        return [services for services in combinations.values() if services]

    @cached_property
    def entries(self) -> Mapping[str, list[Resource]]:
        """ServiceEntries by host."""
        by_host: dict[str, list[Resource]] = {}
        for entry in self.of("ServiceEntry"):
            for host in entry.spec.hosts:
                by_host.setdefault(host, []).append(entry)
        return by_host

    @cached_property
    def destination_rules(self) -> Mapping[str, list[Resource]]:
        """DestinationRules by full host (or wildcard)."""
        by_host: dict[str, list[Resource]] = {}
        for rule in self.of("DestinationRule"):
            by_host.setdefault(fqdn(rule.spec.host, rule.namespace), []).append(rule)
        return by_host

    def exists(self, host: str) -> bool:
        """A Service or a ServiceEntry of exactly this name: there is a cluster for it."""
        return host in self.by_fqdn or host in self.entries

    def holds_any(self, pattern: str) -> bool:
        """Whether ``pattern`` covers a host that exists, or lies within a wildcard entry."""
        if self.exists(pattern):
            return True
        hosts = (*self.by_fqdn, *self.entries)
        return any(covers(pattern, host) or covers(host, pattern) for host in hosts)

    def remedy(self, host: str) -> str:
        """What to do about a host that does not exist."""
        near = [hosts for hosts in self.by_fqdn if hosts.startswith(f"{host}.")]
        if near:
            return f"write {near[0]}"
        return "correct the name, or declare a Service or a ServiceEntry"


@dataclass(frozen=True, slots=True)
class DestinationUse:
    """One destination of a VirtualService."""

    rule: Resource
    path: FieldPath
    """Of the Destination."""
    destination: Destination
    mirror: bool

    @property
    def host(self) -> str:
        return fqdn(self.destination.host, self.rule.namespace)


def destination_uses(context: LintContext) -> Iterator[DestinationUse]:
    """Every destination of every VirtualService, mirrors included, in document order."""
    for rule in context.of("VirtualService"):
        for index, route in enumerate(rule.spec.http):
            route_path: FieldPath = ("spec", "http", index)
            for number, entry in enumerate(route.route):
                path = (*route_path, "route", number, "destination")
                yield DestinationUse(rule, path, entry.destination, mirror=False)
            if route.mirror:
                yield DestinationUse(rule, (*route_path, "mirror"), route.mirror, mirror=True)
            for number, policy in enumerate(route.mirrors):
                path = (*route_path, "mirrors", number, "destination")
                yield DestinationUse(rule, path, policy.destination, mirror=True)


def applies_to_mesh(spec: Any) -> bool:
    """Whether a VirtualService is for sidecars: ``gateways`` is empty or names ``mesh``."""
    return not spec.gateways or MESH in spec.gateways
