"""Which gateways a mesh has: workloads whose pods are gateways, and Istio's own pair. Pure.

A Deployment is a gateway if its pods ask the injector for one, or run Istio's proxy alone. Where
none has these names, ``istio-ingressgateway`` is there as in Istio's default profile, and
``istio-egressgateway`` as soon as a Gateway selects it (``istioctl install`` with that component).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from meshproof.istio_names import (
    EGRESS_GATEWAY,
    EGRESS_GATEWAY_LABELS,
    INGRESS_GATEWAY,
    INGRESS_GATEWAY_LABELS,
    ROOT_NAMESPACE,
    service_host,
)
from meshproof.model.kinds import KUBERNETES_GATEWAY
from meshproof.model.kube_workloads import WORKLOADS, is_gateway, replicas_of, template_of
from meshproof.model.resource import Resource
from meshproof.model.volume_files import normalize_path, read_volumes
from meshproof.translate.workload_selection import GATEWAY_NAME, has_labels
from meshproof.translate.world import (
    PROBE_PORT,
    Address,
    ContainerPort,
    Named,
    Protocol,
    Proxy,
    Replica,
    Service,
    ServicePort,
)

if TYPE_CHECKING:
    from meshproof.model.gateway import Gateway

_PORTS = (
    ServicePort("status-port", PROBE_PORT, PROBE_PORT, "TCP"),
    ServicePort("http2", 80, 8080, "HTTP", h2=True),
    ServicePort("https", 443, 8443, "HTTPS"),
)
"""Of the Services of Istio's own gateways."""
_PROTOCOLS: tuple[Protocol, ...] = ("HTTP", "HTTPS", "TLS", "TCP")
_CLASS_NAME = "gateway.networking.k8s.io/gateway-class-name"
_CONTROLLER = "istio.io/gateway-controller"
_ISTIO_CLASS = "istio"
_NAME_OVERRIDE = "gateway.istio.io/name-override"
_BUILT_IN = {INGRESS_GATEWAY: INGRESS_GATEWAY_LABELS, EGRESS_GATEWAY: EGRESS_GATEWAY_LABELS}


def gateway_workloads(resources: Sequence[Resource]) -> tuple[Proxy, ...]:
    """Each with its labels, its account and the files of its container; the ingress gateway
    first."""
    declared = {(p.namespace, p.workload): p for p in _declared(resources)}
    built_in = {
        (ROOT_NAMESPACE, name): _built_in(name, resources)
        for name, labels in _BUILT_IN.items()
        if name == INGRESS_GATEWAY or _is_selected(labels, resources)
    }
    return tuple({**built_in, **declared}.values())


def _declared(resources: Iterable[Resource]) -> Iterator[Proxy]:
    resources = list(resources)
    for resource in resources:
        if is_deployed(resource, resources):
            name = deployment_name(resource)
            yield Proxy("gateway", resource.namespace, name, gateway_labels(resource), name)
        if resource.kind not in WORKLOADS or resource.spec is None or not is_gateway(resource):
            continue
        template = template_of(resource)
        if replicas_of(resource):
            yield Proxy(
                "gateway",
                resource.namespace,
                resource.name,
                dict(template.metadata.labels),
                template.spec.account,
                _mounted_files(resource, resources),
            )


def is_of_istio(gateway: Resource, resources: Iterable[Resource]) -> bool:
    """Whether the Gateway API's Gateway is of Istio's class: ``istio``, or another of its
    controller."""
    name = gateway.spec.gateway_class_name
    declared = {r.name: r.spec for r in resources if r.kind == "GatewayClass" and r.spec}
    if name in declared:
        return bool(declared[name].controller_name == _CONTROLLER)
    return bool(name == _ISTIO_CLASS)


def is_deployed(resource: Resource, resources: Iterable[Resource]) -> bool:
    """Whether it is a Gateway of the Gateway API for which Istio starts a gateway: one without the
    address of another (Istio: IsManaged)."""
    return (
        resource.kind == KUBERNETES_GATEWAY
        and resource.spec is not None
        and is_of_istio(resource, resources)
        and not _named_services(resource)
    )


def deployment_name(gateway: Resource) -> str:
    """Of the Deployment, the Service and the service account that Istio makes for a Gateway."""
    annotations: Mapping[str, str] = gateway.spec.infrastructure.annotations
    return annotations.get(_NAME_OVERRIDE, f"{gateway.name}-{gateway.spec.gateway_class_name}")


def gateway_labels(gateway: Resource) -> dict[str, str]:
    """Of the pods that Istio starts for a Gateway."""
    own = {GATEWAY_NAME: gateway.name, _CLASS_NAME: gateway.spec.gateway_class_name}
    return {**gateway.spec.infrastructure.labels, **own}


def gateway_selector(gateway: Resource, resources: Sequence[Resource]) -> Mapping[str, str]:
    """The labels of the pods that serve a Gateway: those that Istio starts for it, or those of the
    Service that its address names."""
    services: dict[tuple[str, str], Mapping[str, str]] = {
        (r.namespace, r.name): r.spec.selector for r in resources if r.kind == "Service"
    }
    for name in _named_services(gateway):
        short, _, rest = name.partition(".")
        namespace = rest.partition(".")[0] or gateway.namespace
        if namespace == ROOT_NAMESPACE and short in _BUILT_IN:
            return services.get((namespace, short), _BUILT_IN[short])
        return services.get((namespace, short), {GATEWAY_NAME: gateway.name})
    return {GATEWAY_NAME: gateway.name}


def _named_services(gateway: Resource) -> list[str]:
    addresses = gateway.spec.addresses
    return [a.value for a in addresses if a.type == "Hostname" and a.value]


def _built_in(name: str, resources: Iterable[Resource]) -> Proxy:
    """The Secrets that Istio's charts mount, if they exist: ``istio-ingressgateway-certs`` and
    ``istio-ingressgateway-ca-certs``."""
    short = name.removeprefix("istio-")
    files: dict[str, str] = {}
    for resource in resources:
        if resource.kind == "Secret" and resource.spec and resource.namespace == ROOT_NAMESPACE:
            for suffix in ("certs", "ca-certs"):
                if resource.name == f"{name}-{suffix}":
                    folder = f"/etc/istio/{short}-{suffix}"
                    files |= {f"{folder}/{key}": text for key, text in resource.spec.texts.items()}
    account = f"{name}-service-account"
    return Proxy("gateway", ROOT_NAMESPACE, name, _BUILT_IN[name], account, files)


def _mounted_files(workload: Resource, resources: Iterable[Resource]) -> dict[str, str]:
    """The files of a gateway's volumes, by their path in its first container."""
    contents = {c.name: c.files for c in read_volumes(workload, resources, {})[0]}
    return {
        f"{normalize_path(mount.mount_path)}/{file.path}": file.data.decode("utf-8", "replace")
        for mount in template_of(workload).spec.containers[0].volume_mounts
        for file in contents.get(mount.name, ())
    }


def _is_selected(labels: Mapping[str, str], resources: Iterable[Resource]) -> bool:
    """By a Gateway that names one of its labels, or its Service; the first also by an Ingress."""
    return any(_selects(r, labels) for r in resources if r.spec is not None)


def _selects(resource: Resource, labels: Mapping[str, str]) -> bool:
    spec = resource.spec
    if resource.kind == "Ingress":
        return labels is INGRESS_GATEWAY_LABELS
    if resource.kind == "Gateway" and resource.gateway_services:
        host = service_host(labels["app"], ROOT_NAMESPACE)
        return resource.namespace == ROOT_NAMESPACE and host in resource.gateway_services
    if resource.kind == "Gateway":
        return bool(spec.selector) and has_labels(labels, spec.selector)
    if resource.kind == KUBERNETES_GATEWAY:
        return labels["app"] in {name.partition(".")[0] for name in _named_services(resource)}
    return False


def gateway_services(resources: Sequence[Resource]) -> Iterator[Service]:
    """The Services of Istio's own gateways that a Gateway selects, and of those that it starts for
    Gateways of the Gateway API, unless they are declared."""
    declared = {(r.namespace, r.name) for r in resources if r.kind == "Service"}
    for resource in resources:
        if is_deployed(resource, resources):
            name = deployment_name(resource)
            if (resource.namespace, name) not in declared:
                selector = {GATEWAY_NAME: resource.name}
                yield Service(name, resource.namespace, selector, _listener_ports(resource))
    for name, labels in _BUILT_IN.items():
        if (ROOT_NAMESPACE, name) not in declared and _is_selected(labels, resources):
            yield Service(name, ROOT_NAMESPACE, labels, _PORTS)


def _listener_ports(gateway: Resource) -> tuple[ServicePort, ...]:
    """A port for each number, named after its first listener."""
    ports = {PROBE_PORT: _PORTS[0]}
    for listener in gateway.spec.listeners:
        protocol: Protocol = next((p for p in _PROTOCOLS if p == listener.protocol), "TCP")
        port = ServicePort(listener.name, listener.port, listener.port, protocol)
        ports.setdefault(listener.port, port)
    return tuple(ports.values())


def server_ports(gateways: Iterable[Named[Gateway]], proxy: Proxy) -> list[int]:
    """The ports of all servers of the Gateways that select a gateway, in order."""
    numbers = {
        server.port.number
        for gateway in gateways
        if has_labels(proxy.labels, gateway.spec.selector)
        for server in gateway.spec.servers
    }
    return sorted(numbers)


def target_port(services: Iterable[Service], proxy: Proxy, number: int) -> int | str:
    """The targetPort behind a server's port, or its name; the same number where no Service has
    it."""
    for service in services_of_gateway(services, proxy):
        for port in service.ports if service.translates_gateway_ports else ():
            if port.port == number:
                return port.target_port
    return number


def pod_port_of(services: Iterable[Service], proxy: Proxy, number: int) -> int:
    """The pod's own port behind the port of a server; the same where it has but a name."""
    target = target_port(services, proxy, number)
    return target if isinstance(target, int) else number


def services_of_gateway(services: Iterable[Service], proxy: Proxy) -> Iterator[Service]:
    """The Services that select a gateway's pods."""
    return (s for s in services if s.selects(proxy.namespace, proxy.labels))


def gateway_replica(
    proxy: Proxy, name: str, ip: str, ports: Mapping[int, int], services: Iterable[Service]
) -> Replica:
    """A gateway as an endpoint of Services. ``ports`` maps the port of a Gateway server to the one
    that is bound: a Service's port leads to the server of that number, else to the one of its
    targetPort (Istio's resolvePorts translates the former to the latter)."""
    own = [
        port
        for service in services
        if service.translates_gateway_ports and service.selects(proxy.namespace, proxy.labels)
        for port in service.ports
    ]
    listeners: dict[int | str, int] = {}
    for port in own:
        if port.port in ports:
            listeners.setdefault(port.target_port, ports[port.port])
    for number, bound in ports.items():
        listeners.setdefault(number, bound)
    return Replica(
        name=name,
        namespace=proxy.namespace,
        workload=proxy.workload,
        labels=proxy.labels,
        service_account=proxy.service_account,
        ip=ip,
        ports=tuple(_container_port(target, ip, bound) for target, bound in listeners.items()),
        ready=True,
        gateway=True,
    )


def _container_port(target: int | str, ip: str, bound: int) -> ContainerPort:
    name, number = (target, bound) if isinstance(target, str) else ("", target)
    return ContainerPort(name, number, Address(ip, bound), Address())
