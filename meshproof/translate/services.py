"""From Service objects to what the translator reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.model.ports import handling, protocol_of, speaks_h2
from meshproof.model.resource import Resource
from meshproof.translate.world import Service, ServicePort


def services_of(resources: Iterable[Resource]) -> tuple[Service, ...]:
    """Every Service, as the translator reads it."""
    return tuple(
        Service(
            name=r.name,
            namespace=r.namespace,
            selector=dict(r.spec.selector),
            ports=tuple(
                ServicePort(
                    name=p.name or "",
                    port=p.port,
                    target_port=p.target_port if p.target_port is not None else p.port,
                    protocol=handling(protocol_of(p)),
                    h2=speaks_h2(p),
                )
                for p in r.spec.ports
            ),
        )
        for r in resources
        if r.kind == "Service"
    )
