"""Kubernetes Services as the translator reads them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from meshproof.model.kube_service import ServicePort as Port
from meshproof.model.kube_service import ServiceSpec
from meshproof.model.kube_workloads import POD_NAME, StatefulSetSpec
from meshproof.model.port_protocol import GRPC, handling_of, protocol_of, speaks_h2
from meshproof.model.resource import Resource
from meshproof.translate.gateway_workloads import gateway_services
from meshproof.translate.world import Service, ServicePort, TrafficDistribution


def services_of(resources: Iterable[Resource]) -> tuple[Service, ...]:
    """Every Service; one for each numbered pod of a StatefulSet with a headless Service, which has
    a DNS name of its own: ``POD.SERVICE``; and those of Istio's own gateways that are in use."""
    resources = list(resources)
    services = [r for r in resources if r.kind == "Service"]
    return (
        *map(_build_service, services),
        *_pod_services(resources, services),
        *gateway_services(resources),
    )


def _build_service(resource: Resource) -> Service:
    return Service(
        name=resource.name,
        namespace=resource.namespace,
        selector=dict(resource.spec.selector),
        ports=tuple(_build_port(p) for p in resource.spec.ports if p.protocol == "TCP"),
        external_name=_external_name(resource.spec),
        headless=resource.spec.headless,
        export_to=resource.export_to,
        traffic_distribution=traffic_distribution_of(
            resource.traffic_distribution, resource.spec.traffic_distribution
        ),
        translates_gateway_ports=_NO_TRANSLATION not in resource.labels,
    )


_NO_TRANSLATION = "experimental.istio.io/disable-gateway-port-translation"


def traffic_distribution_of(annotation: str, field: str | None = None) -> TrafficDistribution:
    """What a Service's field or else an annotation asks for; in the annotation case does not
    matter, and other values say nothing (Istio: GetTrafficDistribution)."""
    if field is not None and field in _DISTRIBUTIONS:
        return _DISTRIBUTIONS[field]
    by_lower_case = {name.lower(): value for name, value in _DISTRIBUTIONS.items()}
    return by_lower_case.get(annotation.lower(), "")


_DISTRIBUTIONS: Mapping[str, TrafficDistribution] = {
    "PreferClose": "zone",
    "PreferSameZone": "zone",
    "PreferSameNode": "node",
}


def _external_name(spec: ServiceSpec) -> str:
    return (spec.external_name or "") if spec.type == "ExternalName" else ""


def _build_port(port: Port) -> ServicePort:
    return ServicePort(
        name=port.name or "",
        port=port.port,
        target_port=port.target_port if port.target_port is not None else port.port,
        protocol=handling_of(protocol_of(port)),
        h2=speaks_h2(port),
        grpc=protocol_of(port) in GRPC,
    )


def _pod_services(resources: Sequence[Resource], services: Iterable[Resource]) -> Iterator[Service]:
    headless = {(s.namespace, s.name): s for s in services if s.spec.headless}
    for resource in resources:
        if not isinstance(resource.spec, StatefulSetSpec):
            continue
        governing = headless.get((resource.namespace, resource.spec.service_name))
        if governing is None:
            continue
        service = _build_service(governing)
        for number in range(resource.spec.replicas):
            pod = f"{resource.name}-{number}"
            name = f"{pod}.{governing.name}"
            yield replace(service, name=name, selector={POD_NAME: pod}, external_name="")
