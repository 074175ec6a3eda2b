"""VirtualServices as HTTPRoutes: the way to the Gateway API. Those of sidecars have Services as
parents, those of Gateways the Gateway API's, which are converted with them.

A VirtualService is converted only as a whole, and only where the HTTPRoute does the same in Istio
but for what ``changes`` says; any other stays as it is, with the reasons. Subsets become Services
of their own, as a route of the Gateway API knows no labels. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from meshproof.gateway_api.convert import precedence
from meshproof.gateway_api.from_gateways import check_backends, convert_gateway
from meshproof.gateway_api.rules import convert_rule
from meshproof.gateway_api.to_http_rules import Change, LossError, RuleWriter
from meshproof.istio_names import service_host
from meshproof.model.http_route import HTTPRouteSpec
from meshproof.model.kube_service import ServiceSpec
from meshproof.model.resource import Resource
from meshproof.model.virtual_service import VirtualService
from meshproof.translate.host_names import fqdn, gateway_key

API_VERSION = "gateway.networking.k8s.io/v1"
MESH = "mesh"
Document = dict[str, Any]


@dataclass
class Migration:
    """``documents`` are new objects; ``kept`` those that stay, each with its reasons."""

    documents: list[Document] = field(default_factory=list)
    kept: list[tuple[Resource, tuple[str, ...]]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def migrate(resources: Sequence[Resource]) -> Migration:
    """Every VirtualService of ``resources``, which hold the Services and DestinationRules that it
    speaks of."""
    result = Migration()
    services = {
        service_host(r.name, r.namespace): r for r in resources if isinstance(r.spec, ServiceSpec)
    }
    rules = {fqdn(r.spec.host, r.namespace): r for r in resources if r.kind == "DestinationRule"}
    hosts = Counter(
        fqdn(host, r.namespace)
        for r in resources
        if isinstance(r.spec, VirtualService)
        for host in r.spec.hosts
    )
    declared = {(r.namespace, r.name): r for r in resources if r.kind == "Gateway"}
    gateways: dict[tuple[str, str], Document] = {}
    written: dict[tuple[str, str], Document] = {}
    for resource in resources:
        if not isinstance(resource.spec, VirtualService):
            continue
        writer = RuleWriter(resource, services, rules)
        try:
            _check_alone(resource, hosts)
            bound = {key: convert_gateway(declared[key]) for key in _gateways(resource, declared)}
            route = _http_route(resource, services, writer)
            if bound:
                check_backends(route)
        except LossError as loss:
            result.kept.append((resource, loss.reasons))
            continue
        result.documents.append(route)
        result.changes += [f"{resource.title}: {change}" for change in _unique(writer.changes)]
        written |= writer.services
        for key, (document, changes) in bound.items():
            if key not in gateways:
                gateways[key] = document
                result.changes += [f"{declared[key].title}: {change}" for change in changes]
    result.documents = [*written.values(), *gateways.values(), *result.documents]
    return result


def _check_alone(resource: Resource, hosts: Mapping[str, int]) -> None:
    """Of two for one host the first counts, where HTTPRoutes are merged."""
    for host in resource.spec.hosts:
        if hosts[fqdn(host, resource.namespace)] > 1:
            raise LossError(f"another VirtualService is for {host}, too")


def _unique(changes: Iterable[Change]) -> Iterator[str]:
    yield from dict.fromkeys(changes)


def _http_route(
    resource: Resource, services: Mapping[str, Resource], writer: RuleWriter
) -> Document:
    """Raises LossError."""
    spec: VirtualService = resource.spec
    parents = list(_parents(resource, services))
    rules = [writer.rule(index, http) for index, http in enumerate(spec.http)]
    body: Document = {"parentRefs": parents, "rules": rules}
    names = [host for host in spec.hosts if host != "*"]
    if spec.gateways and names:
        body = {"parentRefs": parents, "hostnames": names, "rules": rules}
    try:
        model = HTTPRouteSpec.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise LossError(f"an HTTPRoute cannot say it: {place}: {first['msg']}") from None
    matches = [http.match for rule in model.rules for http in convert_rule(rule, "", "", None)]
    order = [precedence(match[0]) for match in matches]
    if order != sorted(order):
        raise LossError(
            "its first match wins, and the Gateway API has an order of its own: exact paths, then "
            "longer prefixes, then expressions, then methods, headers and query parameters"
        )
    metadata: Document = {"name": resource.name, "namespace": resource.namespace}
    if resource.labels:
        metadata["labels"] = dict(resource.labels)
    return {"apiVersion": API_VERSION, "kind": "HTTPRoute", "metadata": metadata, "spec": body}


def _gateways(
    resource: Resource, declared: Mapping[tuple[str, str], Resource]
) -> list[tuple[str, str]]:
    """The Gateways that a rule is bound to; none for sidecars. Raises LossError."""
    spec: VirtualService = resource.spec
    names = [name for name in spec.gateways if name != MESH]
    if names and MESH in spec.gateways:
        raise LossError("it is for sidecars and for Gateways: write one for each")
    keys = [gateway_key(name, resource.namespace) for name in names]
    for name, key in zip(names, keys, strict=True):
        if key not in declared:
            raise LossError(f"gateway {name} is not in these files")
    if names and any("." not in host for host in spec.hosts if host != "*"):
        raise LossError("hosts has a short name, which no caller of a Gateway sends")
    return keys


def _parents(resource: Resource, services: Mapping[str, Resource]) -> Iterator[Document]:
    """Raises LossError for what is not for all callers of Services of its own namespace."""
    spec: VirtualService = resource.spec
    if spec.tls or spec.tcp:
        raise LossError("it has tls or tcp routes: write a TLSRoute or a TCPRoute")
    if not spec.hosts:
        raise LossError("it is a delegate")
    if spec.export_to and "*" not in spec.export_to:
        raise LossError("exportTo: an HTTPRoute of a Service's namespace is for all callers")
    for name in spec.gateways if MESH not in spec.gateways else ():
        namespace, own = gateway_key(name, resource.namespace)
        place = {} if namespace == resource.namespace else {"namespace": namespace}
        yield {"kind": "Gateway", "name": own, **place}
    for host in spec.hosts if not spec.gateways or MESH in spec.gateways else ():
        service = services.get(fqdn(host, resource.namespace))
        if service is None:
            raise LossError(f"host {host} is no Service of these files")
        if service.namespace != resource.namespace:
            raise LossError(
                f"{service.title} is of another namespace, whose callers an HTTPRoute in "
                f"{resource.namespace} would not reach"
            )
        yield {"group": "", "kind": "Service", "name": service.name}
