"""MeshConfig's defaults for exportTo: of what does not say which namespaces see it.

Istio: initDefaultExportMaps in pilot/pkg/model/push_context.go. A VirtualService of a gateway is
limited by them as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from meshproof.model.destination_rule import DestinationRule
from meshproof.model.service_entry import ServiceEntry
from meshproof.model.virtual_service import VirtualService
from meshproof.translate.world import Named, Service

T = TypeVar("T", VirtualService, DestinationRule, ServiceEntry)


def exported(rules: Iterable[Named[T]], default: Sequence[str]) -> tuple[Named[T], ...]:
    """``rules``, each with an exportTo of its own or the default one; none at all is ``*``."""
    if not default:
        return tuple(rules)
    update = {"export_to": list(default)}
    return tuple(
        rule if rule.spec.export_to else replace(rule, spec=rule.spec.model_copy(update=update))
        for rule in rules
    )


def exported_services(services: tuple[Service, ...], default: Sequence[str]) -> tuple[Service, ...]:
    """The same for Services."""
    if not default:
        return services
    return tuple(
        service if service.export_to else replace(service, export_to=tuple(default))
        for service in services
    )
