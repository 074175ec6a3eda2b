"""Services whose ports say too little, or contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.port_protocol import protocol_of, speaks_h2


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
    services = [s for s in context.of("Service") if s.spec.selector]
    reported: set[tuple[str, str]] = set()
    for namespace, labels in context.pods:
        first: dict[object, tuple[str, str]] = {}
        for service in services:
            if service.namespace != namespace or not (
                service.spec.selector.items() <= labels.items()
            ):
                continue
            for index, port in enumerate(service.spec.ports):
                target, protocol = port.target_port or port.port, protocol_of(port)
                title, other = first.setdefault(target, (service.title, protocol))
                if other != protocol and (service.title, title) not in reported:
                    reported.add((service.title, title))
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
    services = [s for s in context.of("Service") if s.spec.selector]
    reported: set[tuple[str, str]] = set()
    for namespace, labels in context.pods:
        first: dict[object, tuple[str, int]] = {}
        for service in services:
            if service.namespace != namespace or not (
                service.spec.selector.items() <= labels.items()
            ):
                continue
            for index, port in enumerate(service.spec.ports):
                target = port.target_port or port.port
                title, other = first.setdefault(target, (service.title, port.port))
                key = (service.title, title)
                if other != port.port and service.title != title and key not in reported:
                    reported.add(key)
                    yield service.problem(
                        ("spec", "ports", index),
                        f"leads from {port.port} to {target}, and {title} from {other}: Istio "
                        "knows one Service's port for that of a pod",
                        remedy="give both the same port",
                    )
