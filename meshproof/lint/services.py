"""Services whose ports say too little, or contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.port_protocol import protocol_of, speaks_h2
from meshproof.model.resource import Resource

if TYPE_CHECKING:
    from meshproof.model.kube_service import ServicePort


def find_undeclared_protocols(context: LintContext) -> Iterator[Problem]:
    """A port with neither appProtocol nor a name such as ``http`` or ``grpc-web`` (IST0118)."""
    for service in context.of("Service"):
        if service.spec.type == "ExternalName":
            continue
        for index, port in enumerate(service.spec.ports):
            if port.protocol == "TCP" and speaks_h2(port) is None:
                yield service.problem(
                    ("spec", "ports", index),
                    f"port {port.port} does not say its protocol: Istio detects it from the first "
                    "bytes, and a server that speaks first is slow there",
                    "a name such as http or tcp-db, or appProtocol",
                )


def find_contradicting_services(context: LintContext) -> Iterator[Problem]:
    """Two Services of one workload that give one of its ports different protocols (IST0137)."""
    for service, index, target, protocol, title, other in _differences(context, protocol_of):
        yield service.problem(
            ("spec", "ports", index),
            f"is {protocol} at {target}, and {title} says {other} for the same pods: "
            "their sidecar has one protocol a port",
            remedy="give both the same protocol",
        )


def find_aliases_of_bytes(context: LintContext) -> Iterator[Problem]:
    """An ExternalName whose port is ``tcp``, or says no protocol (IST0150): Istio's listener for
    it takes every connection to that port that nothing else takes."""
    for service in context.of("Service"):
        for index, port in enumerate(service.spec.ports):
            if service.spec.type != "ExternalName" or port.protocol != "TCP":
                continue
            if protocol_of(port) == "TCP" or speaks_h2(port) is None:
                yield service.problem(
                    ("spec", "ports", index),
                    f"port {port.port} of an ExternalName is not HTTP: on a cluster it takes "
                    "connections that are for others",
                    "a name such as http or https",
                )


def find_ports_with_one_target(context: LintContext) -> Iterator[Problem]:
    """Two Services that lead to one port of a workload from different ports (IST0137)."""
    for service, index, target, number, title, other in _differences(context, lambda p: p.port):
        if service.title != title:
            yield service.problem(
                ("spec", "ports", index),
                f"leads from {number} to {target}, and {title} from {other}: Istio "
                "knows one Service's port for that of a pod",
                remedy="give both the same port",
            )


def _differences(
    context: LintContext, value_of: Callable[[ServicePort], object]
) -> Iterator[tuple[Resource, int, object, object, str, object]]:
    """Where Services that lead to one port of a pod differ: a Service, the number of its port, the
    pod's port and the value; and the title and value of the first Service. Each pair of Services
    once."""
    reported: set[tuple[str, str]] = set()
    for services in context.services_of_pods:
        first: dict[object, tuple[str, object]] = {}
        for service in services:
            for index, port in enumerate(service.spec.ports):
                target, value = port.target_port or port.port, value_of(port)
                title, other = first.setdefault(target, (service.title, value))
                if other != value and (service.title, title) not in reported:
                    reported.add((service.title, title))
                    yield service, index, target, value, title, other
