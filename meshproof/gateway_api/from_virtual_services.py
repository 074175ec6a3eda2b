"""VirtualServices of sidecars as HTTPRoutes with Services as parents: the way to the Gateway API.

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
from meshproof.gateway_api.rules import convert_rule
from meshproof.gateway_api.to_http_rules import Change, LossError, RuleWriter
from meshproof.istio_names import service_host
from meshproof.model.http_route import HTTPRouteSpec
from meshproof.model.kube_service import ServiceSpec
from meshproof.model.resource import Resource
from meshproof.model.virtual_service import VirtualService
from meshproof.translate.host_names import fqdn

API_VERSION = "gateway.networking.k8s.io/v1"
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
    written: dict[tuple[str, str], Document] = {}
    for resource in resources:
        if not isinstance(resource.spec, VirtualService):
            continue
        writer = RuleWriter(resource, services, rules)
        try:
            _check_alone(resource, hosts)
            route = _http_route(resource, services, writer)
        except LossError as loss:
            result.kept.append((resource, loss.reasons))
            continue
        result.documents.append(route)
        result.changes += [f"{resource.title}: {change}" for change in _unique(writer.changes)]
        written |= writer.services
    result.documents = [*written.values(), *result.documents]
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
    body = {"parentRefs": parents, "rules": rules}
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


def _parents(resource: Resource, services: Mapping[str, Resource]) -> Iterator[Document]:
    """Raises LossError for what is not for all callers of Services of its own namespace."""
    spec: VirtualService = resource.spec
    gateways = [name for name in spec.gateways if name != "mesh"]
    if gateways:
        raise LossError(
            f"it is for gateway {', '.join(gateways)}: write a Gateway of the Gateway API first"
        )
    if spec.tls or spec.tcp:
        raise LossError("it has tls or tcp routes: write a TLSRoute or a TCPRoute")
    if not spec.hosts:
        raise LossError("it is a delegate")
    if spec.export_to and "*" not in spec.export_to:
        raise LossError("exportTo: an HTTPRoute of a Service's namespace is for all callers")
    for host in spec.hosts:
        service = services.get(fqdn(host, resource.namespace))
        if service is None:
            raise LossError(f"host {host} is no Service of these files")
        if service.namespace != resource.namespace:
            raise LossError(
                f"{service.title} is of another namespace, whose callers an HTTPRoute in "
                f"{resource.namespace} would not reach"
            )
        yield {"group": "", "kind": "Service", "name": service.name}
