"""The service that a 0.4 rule names by ``name``, ``namespace``, ``domain`` or ``service``.

0.4 (pilot/model/config.go, ResolveHostname): ``service`` is a full name and wins; else ``name``
plus the namespace (the rule's own by default) plus ``svc.cluster.local`` or the given domain.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from meshproof.errors import Problem
from meshproof.istio_names import CLUSTER_DOMAIN, is_service_host, service_host
from meshproof.model.resource import Resource
from meshproof.model.v1alpha2 import IstioService, MatchSource
from meshproof.sources.location import FieldPath
from meshproof.translate.world import Service


@dataclass(frozen=True, slots=True)
class HostReference:
    """A host by full name, and the namespace of its rules."""

    host: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Callers:
    """The callers of a rule's ``match.source``: pods of ``namespace`` that carry ``labels``."""

    labels: Mapping[str, str]
    namespace: str


def resolve_host(ref: IstioService, rule: Resource) -> HostReference:
    """The host that ``ref`` names in ``rule``. Never fails: unknown hosts are hosts too."""
    if ref.service:
        return HostReference(ref.service, _namespace_of(ref.service) or rule.namespace)
    namespace = ref.namespace or rule.namespace
    return HostReference(f"{ref.name}.{namespace}.{ref.domain or CLUSTER_DOMAIN}", namespace)


def check_reference(ref: IstioService, rule: Resource, path: FieldPath) -> list[Problem]:
    """Why ``ref`` cannot name a host of a VirtualService: a short name, wildcard or address."""
    service = ref.service
    if not service:
        return []
    path_of_service = (*path, "service")
    if is_address(service):
        return [
            rule.problem(
                path_of_service,
                f"{service} is an address",
                "the full name of a service",
                "routes to addresses are not honoured; an EgressRule alone opens one",
            )
        ]
    if "*" in service:
        return [
            rule.problem(
                path_of_service, f"{service} is a wildcard", "the full name of one service"
            )
        ]
    if "." not in service:
        full = service_host(service, rule.namespace)
        return [
            rule.problem(
                path_of_service,
                f"{service} is a short name, which matched nothing in Istio 0.4",
                f"the full name, {full}",
                f"or write name: {service}",
            )
        ]
    return []


def resolve_callers(
    source: MatchSource, rule: Resource, services: Mapping[str, Service]
) -> Callers | str:
    """The pods that 0.4 matched: those of the named service, with all of the labels.

    A text says why no pod can match; such a rule is dead, as it was in 0.4.
    """
    host = resolve_host(IstioService.model_validate(source.model_dump(by_alias=True)), rule).host
    service = services.get(host)
    if service is None:
        return f"there is no Service {host}"
    if not service.selector:
        return f"Service {host} has no selector, so no pod is behind it"
    for key, value in source.labels.items():
        if service.selector.get(key, value) != value:
            return f"pods of {host} have {key}={service.selector[key]}, never {key}={value}"
    return Callers({**service.selector, **source.labels}, service.namespace)


def is_address(text: str) -> bool:
    """Whether ``text`` is one IP address or a range of them."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _namespace_of(host: str) -> str:
    """``default`` of ``svcb.default.svc.cluster.local``; empty for other hosts."""
    parts = host.removesuffix(f".{CLUSTER_DOMAIN}").split(".")
    return parts[1] if is_service_host(host) and len(parts) == 2 else ""
