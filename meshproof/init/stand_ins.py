"""Commands that start a stand-in (``meshproof.stand_in``) in place of an image's program. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from meshproof.model.kube_pod import Container
from meshproof.model.kube_workloads import WORKLOADS, template_of
from meshproof.model.resource import Resource

_PROGRAM = ("{python}", "-m", "meshproof.stand_in")
_END = "--"
Port = tuple[int | str, str]
"""A number or a port's name, and what a Service or a container says of its protocol."""


def outside_command() -> tuple[str, ...]:
    """For a host outside with one port."""
    return (*_PROGRAM, "{ip}:{port}", _END)


def stand_in_command(image: str, resources: Sequence[Resource]) -> tuple[str, ...]:
    """Listens at every port of every container of the image, and at those that Services lead to:
    gRPC where a name, a probe or ``appProtocol`` says so."""
    ports: dict[int, bool] = {}
    first = 0
    for resource in resources:
        if resource.kind not in WORKLOADS:
            continue
        template = template_of(resource)
        for container in template.spec.containers[:1]:
            if container.image != image:
                continue
            own = [p for p in container.ports if p.protocol == "TCP"]
            first = first or (own[0].container_port if own else 0)
            names = {p.name: p.container_port for p in own if p.name}
            labels = template.metadata.labels
            targets = _targets(resources, resource.namespace, labels)
            declared: list[Port] = [(p.container_port, p.name or "") for p in own]
            for place, protocol in (*declared, *_probes(container), *targets):
                number = names.get(place) if isinstance(place, str) else place
                if number:
                    ports[number] = ports.get(number, False) or protocol.startswith("grpc")
    addresses = [
        ("grpc:" if grpc else "") + ("{ip}:{port}" if number == first else f"{{ip}}:{number}")
        for number, grpc in ports.items()
    ]
    return (*_PROGRAM, *addresses, _END)


def _probes(container: Container) -> Iterator[Port]:
    for probe in (container.readiness_probe, container.liveness_probe, container.startup_probe):
        if probe is not None and probe.grpc is not None:
            yield probe.grpc.port, "grpc"


def _targets(resources: Iterable[Resource], namespace: str, labels: Any) -> Iterator[Port]:
    for resource in resources:
        if resource.kind != "Service" or resource.spec is None or resource.namespace != namespace:
            continue
        selector = resource.spec.selector
        if selector and selector.items() <= dict(labels).items():
            for port in resource.spec.ports:
                yield port.target_port or port.port, port.app_protocol or port.name or ""
