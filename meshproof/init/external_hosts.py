"""Hosts outside the mesh that manifests name: in ServiceEntries, ExternalNames and URLs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from meshproof.istio_names import is_service_host
from meshproof.model.kube_config import ConfigMap
from meshproof.model.kube_service import ServiceSpec
from meshproof.model.kube_workloads import WORKLOADS, template_of
from meshproof.model.resource import Resource
from meshproof.model.service_entry import ServiceEntry

_URL = re.compile(
    r"(?i)\b(https?)://([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)(?::(\d{1,5}))?(?=[/?#\s\"',]|$)"
)


def find_external_hosts(resources: Sequence[Resource]) -> dict[str, tuple[list[int], str]]:
    """Each host with its ports, and the resource that names it first."""
    inside = _service_names(resources)
    hosts: dict[str, tuple[list[int], str]] = {}
    for host, port, title in (*_entries(resources), *_urls(resources)):
        name = host.lower()
        if name in inside or is_service_host(name) or _is_loopback(name):
            continue
        ports, _ = hosts.setdefault(name, ([], title))
        if port not in ports:
            ports.append(port)
    return hosts


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "0.0.0.0"  # noqa: S104


def _service_names(resources: Iterable[Resource]) -> set[str]:
    """The names by which Services are called."""
    names = set()
    for service in resources:
        if service.kind == "Service":
            namespace = service.namespace or "default"
            names |= {
                service.name,
                f"{service.name}.{namespace}",
                f"{service.name}.{namespace}.svc",
            }
    return names


def _entries(resources: Iterable[Resource]) -> Iterator[tuple[str, int, str]]:
    for resource in resources:
        spec = resource.spec
        if isinstance(spec, ServiceEntry) and spec.location != "MESH_INTERNAL":
            for host in spec.hosts:
                for port in spec.ports:
                    yield host, port.number, resource.title
        elif isinstance(spec, ServiceSpec) and isinstance(spec.external_name, str):
            for number in [p.port for p in spec.ports] or [80]:
                yield spec.external_name, number, resource.title


def _urls(resources: Iterable[Resource]) -> Iterator[tuple[str, int, str]]:
    for resource in resources:
        for text in _texts(resource):
            for scheme, host, port in _URL.findall(text):
                if "." in host:
                    default = 443 if scheme.lower() == "https" else 80
                    yield host, int(port or default), resource.title


def _texts(resource: Resource) -> Iterator[str]:
    if isinstance(resource.spec, ConfigMap):
        yield from resource.spec.data.values()
    if resource.kind in WORKLOADS:
        for container in template_of(resource).spec.containers:
            yield from (variable.value for variable in container.env)
            yield from (*container.command, *container.args)
