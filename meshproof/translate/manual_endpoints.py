"""Endpoints that were written by hand, for Services without a selector. Pure.

Istio reads EndpointSlices (pilot/pkg/serviceregistry/kube/controller/endpointslice.go), and
Kubernetes makes one of every Endpoints object. Those of a Service with a selector are replaced by
Kubernetes, so they do not count. An address that is no pod's has no sidecar: it is called in plain
text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from meshproof.model.kube_endpoints import SERVICE_NAME, EndpointPort, Endpoints, EndpointSlice
from meshproof.model.resource import Resource
from meshproof.model.workload_entry import WorkloadEntry

Manual = Mapping[tuple[str, str], tuple[WorkloadEntry, ...]]
"""By namespace and Service."""


def manual_endpoints(resources: Iterable[Resource]) -> Manual:
    """Every ready address of a TCP port, each once."""
    result: dict[tuple[str, str], tuple[WorkloadEntry, ...]] = {}
    for resource in resources:
        spec = resource.spec
        if isinstance(spec, Endpoints):
            key, entries = (resource.namespace, resource.name), list(_of_subsets(spec))
        elif isinstance(spec, EndpointSlice):
            name = resource.labels.get(SERVICE_NAME, "")
            key, entries = (resource.namespace, name), list(_of_slice(spec))
        else:
            continue
        former = result.get(key, ())
        result[key] = (*former, *(entry for entry in entries if entry not in former))
    return result


def _of_subsets(spec: Endpoints) -> Iterator[WorkloadEntry]:
    for subset in spec.subsets:
        ports = _ports(subset.ports)
        for address in subset.addresses if ports else ():
            yield _entry(address.ip, ports)


def _of_slice(spec: EndpointSlice) -> Iterator[WorkloadEntry]:
    ports = _ports(spec.ports)
    for endpoint in spec.endpoints if ports and spec.address_type != "FQDN" else ():
        if endpoint.conditions.ready is not False:
            for address in endpoint.addresses:
                yield _entry(address, ports)


def _entry(address: str, ports: dict[str, int]) -> WorkloadEntry:
    return WorkloadEntry.model_construct(address=address, ports=ports)


def _ports(ports: Iterable[EndpointPort]) -> dict[str, int]:
    return {p.name: p.port for p in ports if p.protocol == "TCP" and p.port is not None}
