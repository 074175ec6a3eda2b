"""Which container ports Services lead to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from meshproof.translate.world import Service


def target_ports(services: Iterable[Service], namespace: str, labels: Any) -> list[int]:
    """Numeric target ports of the Services that select a pod: its sidecar listens on them too."""
    return sorted(
        {
            port.target_port
            for service in services
            if service.selects(namespace, labels)
            for port in service.ports
            if isinstance(port.target_port, int)
        }
    )


class Pod(Protocol):
    """A workload, as Services select it."""

    @property
    def namespace(self) -> str: ...

    @property
    def labels(self) -> Mapping[str, str]: ...


class TargetPorts:
    """``target_ports`` of any workload, each found once for these Services."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = tuple(services)
        self._by_pod: dict[tuple[object, ...], list[int]] = {}

    def of(self, pod: Pod) -> list[int]:
        key = (pod.namespace, *pod.labels.items())
        if key not in self._by_pod:
            self._by_pod[key] = target_ports(self._services, pod.namespace, pod.labels)
        return self._by_pod[key]
